"""What can go wrong on demand: which requests a stand-in spoils, and how."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

from flask import Flask, Response, g, jsonify, request

Kind = Literal[
    "error",
    "unauthorized",
    "throttled",
    "turned away",
    "timeout",
    "half",
    "lost",
    "cancelled",
    "failed",
    "denied",
    "cut",
    "expired",
    "slow",
    "busy",
]

# status of the faults that answer instead of the platform; the others let it do its work and spoil the answer
REFUSALS: Mapping[str, int] = {"error": 500, "unauthorized": 401, "throttled": 429, "turned away": 403, "timeout": 504}


@dataclass(frozen=True)
class Fault:
    """Spoils the next `times` requests (None: all) whose method, path and body hold these texts, after `skip` of them.

    error, unauthorized: 500, 401 · throttled: 429 that asks to wait `seconds` · turned away: 403 from a server before
    the API, without JSON · timeout: nothing is done, and the answer comes after `seconds` · half: done, but the answer
    breaks off · lost: done, but the connection is cut before the answer · cancelled: an import is accepted and its job
    ends cancelled.

    Of bulk operations, whose start they match: failed: it ends so, with half of its data · denied: so, with none of it
    · cut: its file ends in the middle of a line · expired: its file is never to be had · slow: it takes `seconds` more
    · busy: it is not started, since others are running.
    """

    kind: Kind
    times: int | None = 1
    method: str = ""
    path: str = ""
    body: str = ""
    skip: int = 0
    seconds: float = 60

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"no fault called {self.kind!r}")

    def matches(self, method: str, path: str, body: str) -> bool:
        return self.method in method and self.path in path and self.body in body


class Faults:
    """The faults that are waiting for their requests. The first that matches is used, one for each request."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._lock = threading.Lock()
        self._over = threading.Event()

    def add(self, kind: Kind, **options: Any) -> None:
        fault = Fault(kind, **options)
        with self._lock:
            self._over.clear()
            self._waiting.append(fault)

    def waiting(self) -> list[Fault]:
        with self._lock:
            return list(self._waiting)

    def clear(self) -> None:
        """Forget the faults and let go of the requests that hang in a time-out."""
        with self._lock:
            self._waiting.clear()
            self._over.set()

    def take(self, method: str, path: str, body: str) -> Fault | None:
        with self._lock:
            for at, fault in enumerate(self._waiting):
                if not fault.matches(method, path, body):
                    continue
                if fault.skip:
                    self._waiting[at] = replace(fault, skip=fault.skip - 1)
                    continue
                self._use(at, fault)
                return fault
        return None

    def _use(self, at: int, fault: Fault) -> None:
        if fault.times is None:
            return
        self._waiting[at : at + 1] = [replace(fault, times=fault.times - 1)] if fault.times > 1 else []

    def hang(self, seconds: float) -> None:
        self._over.wait(seconds)


def install(app: Flask, faults: Faults, refusal: Callable[[int], Any], wait_header: str | None = "Retry-After") -> None:
    """Spoil what `app` answers; `refusal` words the platform's own body for a status, a header the wait it asks for."""

    @app.before_request
    def refuse() -> Response | None:
        body = request.get_data(as_text=True)
        g.fault = None if request.path.startswith("/_practice/") else faults.take(request.method, request.path, body)
        if g.fault is None or g.fault.kind not in REFUSALS:
            return None
        if g.fault.kind == "timeout":
            faults.hang(g.fault.seconds)
        status = REFUSALS[g.fault.kind]
        response = jsonify(refusal(status)) if g.fault.kind != "turned away" else Response("<html>")
        response.status_code = status
        if g.fault.kind == "throttled" and wait_header:
            response.headers[wait_header] = str(round(g.fault.seconds))
        return response

    @app.after_request
    def spoil(response: Response) -> Response:
        match getattr(g, "fault", None):
            case Fault(kind="half"):
                return halved(response)
            case Fault(kind="lost"):
                hang_up()
        return response

    @app.get("/_practice/faults")
    def show() -> Response:
        return jsonify([asdict(fault) for fault in faults.waiting()])

    @app.post("/_practice/faults")
    def add() -> tuple[Response, int]:
        try:
            faults.add(**request.get_json())
        except (TypeError, ValueError) as error:
            return jsonify({"error": str(error)}), 400
        return show(), 201

    @app.delete("/_practice/faults")
    def clear() -> Response:
        faults.clear()
        return show()


def halved(response: Response) -> Response:
    """Promise all of an answer and break off in its middle."""
    whole = response.get_data()
    half = Response(whole[: len(whole) // 2], response.status, response.headers)
    half.automatically_set_content_length = False
    half.headers["Content-Length"] = str(len(whole))
    return half


def hang_up() -> None:
    connection: socket.socket = request.environ["werkzeug.socket"]
    connection.shutdown(socket.SHUT_RDWR)
