"""Sessions whose connections give up on a server that takes too long to begin its answer.

A time-out of requests is one of each read: a server that sends a byte of its headers now and then never meets it, and
would keep a worker's thread for as long as it likes.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Timer
from typing import Any

from requests_hardened import Config, HTTPSession
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

BEGIN_SECONDS = 60.0  # for the handshake, and again for the headers


@contextmanager
def in_time(connection: HTTPConnection) -> Iterator[None]:
    """Hang up unless what is done here ends in time. TimeoutError: it was cut off, though it may look whole."""
    late = Event()

    def hang_up() -> None:
        late.set()
        with suppress(OSError, TypeError):  # it has ended by itself, or was never there
            socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)

    timer = Timer(BEGIN_SECONDS, hang_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
    if late.is_set():
        raise TimeoutError


class InTime(HTTPConnection):
    def getresponse(self) -> Any:
        with in_time(self):
            return super().getresponse()


class SecurelyInTime(HTTPSConnection):
    def connect(self) -> None:
        with in_time(self):
            super().connect()

    def getresponse(self) -> Any:
        with in_time(self):
            return super().getresponse()


class Pool(HTTPConnectionPool):
    ConnectionCls = InTime


class SecurePool(HTTPSConnectionPool):
    ConnectionCls = SecurelyInTime


def session(config: Config) -> HTTPSession:
    """Return a session of its own, with these connections behind its address filter."""
    made = HTTPSession(config)
    for adapter in made.adapters.values():
        adapter.poolmanager.pool_classes_by_scheme = {"http": Pool, "https": SecurePool}
    return made
