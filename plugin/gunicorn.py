"""How gunicorn serves the site: its settings, and a worker whose threads no slow client can hold."""

from __future__ import annotations

import os
import re
import socket
import struct
import time
from pathlib import Path
from typing import Any

from gunicorn.workers.gthread import _DEFER, ThreadWorker

bind = f"0.0.0.0:{os.environ.get('PORT', '8000')}"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 16
worker_class = "plugin.gunicorn.PatientWorker"
worker_connections = 512
keepalive = 15  # seconds that a client may be silent, also in the middle of a request
timeout = 60
graceful_timeout = 20
accesslog = None  # addresses of visitors are nobody's business
control_socket_disable = True
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  the heartbeat needs no disk

SOCKET_SECONDS = 10
REQUEST_SECONDS = 60
GATHERED_BYTES = 1_000_000
TIME_OUT = struct.pack("ll", SOCKET_SECONDS, 0)
HEAD_END = b"\r\n\r\n"
LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,18})[ \t]*(?=\r\n)", re.IGNORECASE)
CHUNKED = re.compile(rb"\r\ntransfer-encoding:[^\r\n]*chunked", re.IGNORECASE)


class PatientWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn ships no types
    """Gathers what clients send without giving them a thread: only whole requests get one.

    A request larger than a megabyte is read by its thread to the end, which waits ten seconds for each piece.
    """

    def handle(self, conn: Any) -> Any:
        if not hasattr(conn, "gathered"):
            conn.gathered = b""
            conn.since = time.monotonic()
            for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
                conn.sock.setsockopt(socket.SOL_SOCKET, option, TIME_OUT)
        try:
            ready = gather(conn)
        except OSError:
            return False
        if not ready:
            return _DEFER if time.monotonic() - conn.since < REQUEST_SECONDS else False
        conn.sock.setblocking(True)
        conn.data_ready = True
        conn.init()
        conn.parser.unreader.unread(conn.gathered)
        conn.gathered = b""
        try:
            return super().handle(conn)
        finally:
            conn.since = time.monotonic()


def gather(conn: Any) -> bool:
    """Take in what a client has sent so far; return whether the request is whole, or no more of it will be gathered."""
    if conn.parser is not None:
        conn.gathered += conn.parser.unreader.take_buffered()  # of a request sent right behind the one before
    while not whole(conn.gathered):
        try:
            piece = conn.sock.recv(65_536, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        if not piece:
            return True  # the parser finds out what is missing
        conn.gathered += piece
    return True


def whole(gathered: bytes) -> bool:
    """Whether there is a request from beginning to end, or one that is too large to be gathered.

    This only says when a thread is worth its while: what a request is, gunicorn's parser decides.
    """
    end = gathered.find(HEAD_END)
    if end < 0:
        return len(gathered) > GATHERED_BYTES
    head, body = gathered[: end + 2], len(gathered) - end - len(HEAD_END)
    if CHUNKED.search(head):
        return (body > 0 and gathered.endswith(HEAD_END)) or body > GATHERED_BYTES
    length = LENGTH.search(head)
    expected = int(length[1]) if length else 0
    return body >= expected or expected > GATHERED_BYTES
