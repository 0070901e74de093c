"""The load that receiving is measured under: signed orders, each with an id of its own, sent by wrk."""

import base64
import hashlib
import hmac
import json
import re
import secrets
import subprocess
from dataclasses import dataclass
from pathlib import Path

CREDENTIALS = {"shop": "bench.myshopify.com", "access_token": "shpat_bench", "api_secret": "shpss_bench"}
ORDER = Path(__file__).parents[1] / "payloads" / "shopify" / "orders__create.json"
ORDER_BYTES = 8_500  # as large as a usual order of a real store
CONNECTIONS = 32
THREADS = 2
UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}

SCRIPT = """
wrk.method = "POST"
wrk.body = io.open("{body}", "rb"):read("*a")
{headers}
local count = 0
local threads = 0
function setup(thread) threads = threads + 1; thread:set("number", threads) end
function request()
  count = count + 1
  wrk.headers["X-Shopify-Webhook-Id"] = "{run}-" .. number .. "-" .. count
  return wrk.format()
end
"""


@dataclass(frozen=True)
class Run:
    """What wrk saw: requests a second, milliseconds at the 99th of a hundred, answers that were not 2xx, and errors."""

    per_second: float
    p99: float
    refused: int
    errors: int


def order() -> bytes:
    """The recorded order, with so many lines that it is as large as most."""
    payload = json.loads(ORDER.read_text())
    while len(json.dumps(payload)) < ORDER_BYTES:
        payload["line_items"].append(payload["line_items"][0])
    return json.dumps(payload).encode()


def send(address: str, folder: Path, seconds: int) -> Run:
    """Send to `address` for some seconds from 32 connections that stay open."""
    body = folder / "order.json"
    body.write_bytes(order())
    signature = base64.b64encode(
        hmac.new(CREDENTIALS["api_secret"].encode(), body.read_bytes(), hashlib.sha256).digest()
    )
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Shopify-Captain-Hook",
        "X-Shopify-API-Version": "2026-10",
        "X-Shopify-Event-Id": "98880550-7158-44d4-b7cd-2c97c8a091b5",
        "X-Shopify-Hmac-Sha256": signature.decode(),
        "X-Shopify-Shop-Domain": CREDENTIALS["shop"],
        "X-Shopify-Topic": "orders/create",
        "X-Shopify-Triggered-At": "2026-11-22T12:00:00.000000000Z",
    }
    lines = "\n".join(f'wrk.headers["{name}"] = "{value}"' for name, value in headers.items())
    script = folder / "order.lua"
    script.write_text(SCRIPT.format(body=body, headers=lines, run=secrets.token_hex(4)))
    command = ["wrk", f"-t{THREADS}", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", str(script), address]
    return read(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def read(told: str) -> Run:
    per_second = re.search(r"Requests/sec:\s+([\d.]+)", told)
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s|m)", told)
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", told)
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", told)
    assert per_second, told
    assert p99, told
    return Run(
        float(per_second[1]),
        float(p99[1]) * UNITS[p99[2]],
        int(refused[1]) if refused else 0,
        sum(map(int, errors.groups())) if errors else 0,
    )
