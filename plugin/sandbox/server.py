"""A stand-in as a real HTTP server on loopback, with a thread for each connection."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Self

from werkzeug.serving import WSGIRequestHandler, make_server

from plugin.sandbox.state import State

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class Quiet(WSGIRequestHandler):
    """Says nothing about requests: the stand-ins keep them for whoever asks."""

    disable_nagle_algorithm = True

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002  werkzeug's name
        if type != "info":
            super().log(type, message, *args)


class Server:
    """Listens from the moment it is made, answers between `start` and `stop`. OSError when the port is taken.

    Each answer closes its connection, as werkzeug does, and says so: clients that keep sessions simply connect again.
    """

    def __init__(self, app: WSGIApplication, host: str = "127.0.0.1", port: int = 0) -> None:
        # werkzeug ends the process when it cannot bind, so that is done here
        with socket.create_server((host, port), backlog=128) as listener:
            self._server = make_server(host, port, app, threaded=True, request_handler=Quiet, fd=listener.fileno())
        self._thread = threading.Thread(target=self._serve, name="practice shop", daemon=True)
        self.port = self._server.port
        self.origin = f"http://{host}:{self.port}"

    def start(self) -> Self:
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop listening. Requests that are being answered end on their own."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def _serve(self) -> None:
        self._server.serve_forever(poll_interval=0.02)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def serve(state: State, name: str, app: WSGIApplication) -> Server:
    """Start a server where it was the last time, so that connections made then still reach it, or elsewhere."""
    port = (state.get("port", name) or {"port": 0})["port"]
    try:
        server = Server(app, port=port)
    except OSError:
        server = Server(app)
    state.set("port", name, {"port": server.port})
    return server.start()
