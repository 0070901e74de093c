"""The real server with the settings of production: slow clients hold up nobody, and what they send is taken whole."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import uuid
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest
import requests

from plugin import db
from plugin.config import settings
from plugin.gunicorn import SOCKET_SECONDS
from plugin.inbox import SIZE_LIMIT_BYTES
from plugin.models.inbox import Delivery
from plugin.models.shops import Counter
from tests.web.site import Site, signed

ROOT = Path(__file__).parents[2]
STALLED = 40  # more than there are threads


@pytest.fixture(scope="module")
def site(sqlite_databases, tmp_path_factory):
    """One for all tests of this file: a server takes its time to start. Each test sends what no other does."""
    with pytest.MonkeyPatch.context() as environment, sqlite_databases() as address:
        environment.setenv("INSTANCE_DIR", str(tmp_path_factory.mktemp("instance")))
        environment.setenv("DATABASE_URL", address)
        settings.cache_clear()
        engine = db.connect(address)
        yield Site(engine)
        engine.dispose()
    settings.cache_clear()


@pytest.fixture(scope="module")
def mine(site):
    return site.shop("mine")


@contextmanager
def gunicorn(folder, **environment):
    """The site with its address, at once: who comes before it is up waits. What it logs is in `folder`."""
    command = [sys.executable, "-m", "gunicorn", "--config", "python:plugin.gunicorn", "plugin.app:create_app()"]
    with socket.create_server(("127.0.0.1", 0), backlog=128) as door, (folder / "gunicorn.log").open("w") as log:
        server = subprocess.Popen(
            [*command, "--bind", f"fd://{door.fileno()}"],
            cwd=ROOT,
            env=os.environ | environment,
            stdout=log,
            stderr=log,
            pass_fds=[door.fileno()],
        )
        try:
            yield server, door.getsockname()
        finally:
            if server.poll() is None:
                server.terminate()
            server.wait(30)


@pytest.fixture(scope="module")
def served(site, mine, tmp_path_factory):
    """The address at which the site is served."""
    with gunicorn(tmp_path_factory.mktemp("served")) as (_, address):
        assert healthy(address)
        yield address


@pytest.fixture
def connect(served):
    """Connections to the site, closed afterwards."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(socket.create_connection(served, timeout=30))


def healthy(address):
    return requests.get(f"http://{address[0]}:{address[1]}/healthz", timeout=30).ok


def answer(client):
    """The status of the next answer, whose body is read as well."""
    head = b""
    while b"\r\n\r\n" not in head:
        piece = client.recv(65_536)
        assert piece, head
        head += piece
    head, _, body = head.partition(b"\r\n\r\n")
    length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
    while len(body) < length:
        body += client.recv(65_536)
    return int(head.split()[1]), body[length:]


def raw(mine, body, *, chunked=False):
    """A signed webhook as it goes over the wire: its head and its body."""
    sent = signed(mine, "orders/create", body, webhook_id=uuid.uuid4().hex)
    lines = [f"{name}: {value}" for name, value in sent["headers"].items()]
    size = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(sent['data'])}"
    head = "\r\n".join(["POST /webhooks/shopify HTTP/1.1", "Host: tagsmith.example.com", size, *lines]) + "\r\n\r\n"
    return head.encode(), sent["data"]


def kept(site, body):
    return len([row for row in site.rows(Delivery) if bytes(row.body) == body])


def oversized(site):
    return sum(row.count for row in site.rows(Counter) if row.name == "oversized:shopify")


HALVES = {
    "nothing": b"",
    "half a head": b"GET /healthz HTTP/1.1\r\nHost: tags",
    "half a body": b"POST /webhooks/shopify HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{",
    "half a chunk": b"POST /webhooks/shopify HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n{",
    "half a form": b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nshop=",
}


@pytest.mark.parametrize("half", HALVES.values(), ids=HALVES.keys())
def test_clients_that_send_half_a_request_hold_up_nobody(served, connect, half):
    for _ in range(STALLED):
        connect().sendall(half)
    begun = time.monotonic()
    for _ in range(4):
        assert healthy(served)
    assert time.monotonic() - begun < SOCKET_SECONDS  # nobody had to be timed out first


def test_a_client_that_goes_on_after_a_while_is_answered(served, connect, site, mine):
    head, body = raw(mine, {"note": "in pieces"})
    client = connect()
    for piece in (head[:20], head[20:-3], head[-3:], body[:3], body[3:]):
        client.sendall(piece)
        assert healthy(served)  # both workers may look at what is there, and it is not enough
        assert healthy(served)
    assert answer(client)[0] == 200
    assert kept(site, body) == 1


def test_requests_sent_right_behind_each_other_are_all_answered(connect, mine):
    client = connect()
    parts = [b"".join(raw(mine, {"number": number})) for number in range(3)]
    client.sendall(b"".join(parts))
    left, statuses = b"", []
    while len(statuses) < 3:
        chunk = left or client.recv(65_536)
        head, _, rest = chunk.partition(b"\r\n\r\n")
        length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
        while len(rest) < length:
            rest += client.recv(65_536)
        statuses.append(int(head.split()[1]))
        left = rest[length:]
    assert statuses == [200, 200, 200]


@pytest.mark.parametrize("size", [10, 100_000, 3_000_000])
def test_a_body_of_any_allowed_size_comes_in_whole(connect, site, mine, size):
    head, body = raw(mine, {"note": "x" * size})
    client = connect()
    client.sendall(head + body)
    assert answer(client)[0] == 200
    assert kept(site, body) == 1


@pytest.mark.parametrize("size", [10, 3_000_000])
def test_a_body_in_chunks_comes_in_whole(connect, site, mine, size):
    head, body = raw(mine, {"chunks": "x" * size}, chunked=True)
    client = connect()
    client.sendall(head)
    for start in range(0, len(body), 65_536):
        piece = body[start : start + 65_536]
        client.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
    client.sendall(b"0\r\n\r\n")
    assert answer(client)[0] == 200
    assert kept(site, body) == 1


def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_sent(connect, site, mine):
    before = oversized(site)
    head, _ = raw(mine, b"")
    client = connect()
    client.sendall(head.replace(b"Content-Length: 0", f"Content-Length: {SIZE_LIMIT_BYTES + 1}".encode()))
    assert answer(client)[0] == 413
    assert oversized(site) == before + 1


def test_chunks_without_an_end_are_refused_at_the_limit(connect, site, mine):
    before = oversized(site)
    head, _ = raw(mine, b"", chunked=True)
    client = connect()
    client.sendall(head)
    piece = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
    for _ in range(SIZE_LIMIT_BYTES // 65_536 + 2):
        client.sendall(piece)
    assert answer(client)[0] == 413
    assert oversized(site) == before + 1


def test_a_server_that_is_told_to_stop_stops_and_has_logged_nobodys_address(site, tmp_path):
    with gunicorn(tmp_path, WEB_CONCURRENCY="1") as (server, address):
        assert healthy(address)
        assert len(psutil.Process(server.pid).children()) == 1
        requests.post(f"http://{address[0]}:{address[1]}/login", data={"shop": "anna@example.com"}, timeout=30)
        server.send_signal(signal.SIGTERM)
        assert server.wait(30) == 0
    told = (tmp_path / "gunicorn.log").read_text()
    assert "Listening at" in told
    assert "anna" not in told
    assert "/login" not in told


def test_the_environment_says_where_to_listen_and_with_how_many_processes():
    told = "from plugin import gunicorn; print(gunicorn.bind, gunicorn.workers, gunicorn.threads)"
    for given, expected in (({}, "0.0.0.0:8000 2 16"), ({"PORT": "81", "WEB_CONCURRENCY": "3"}, "0.0.0.0:81 3 16")):
        environment = {name: value for name, value in os.environ.items() if name not in ("PORT", "WEB_CONCURRENCY")}
        asked = subprocess.run([sys.executable, "-c", told], cwd=ROOT, env=environment | given, capture_output=True)
        assert asked.stdout.decode().strip() == expected


def test_two_processes_take_the_same_delivery_once(connect, site, mine):
    clients = [connect() for _ in range(12)]
    head, body = raw(mine, {"note": "from everywhere"})
    for one in clients:
        one.sendall(head + body)
    assert [answer(one)[0] for one in clients] == [200] * 12
    assert kept(site, body) == 1
