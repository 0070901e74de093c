"""A stand-in's server: real, on loopback, several requests at once, gone when stopped."""

import threading

import pytest
import requests
from flask import Flask, request

from plugin.sandbox.server import Server


def echo():
    return request.get_data()


@pytest.fixture
def app():
    app = Flask("echo")
    app.add_url_rule("/", view_func=echo, methods=["POST"])
    return app


def test_a_session_can_ask_again_and_again(app):
    with Server(app) as server, requests.Session() as session:
        assert [session.post(server.origin, data=str(n), timeout=5).text for n in range(5)] == ["0", "1", "2", "3", "4"]


def test_requests_are_answered_at_the_same_time(app):
    together = threading.Barrier(3, timeout=10)
    app.add_url_rule("/wait", "wait", view_func=lambda: str(together.wait()))
    answers = []
    with Server(app) as server:

        def ask():
            answers.append(requests.get(f"{server.origin}/wait", timeout=15).status_code)

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert answers == [200, 200, 200]


def test_a_stopped_server_refuses_connections_and_its_port_is_free_again(app):
    with Server(app) as server:
        pass
    with pytest.raises(requests.ConnectionError):
        requests.post(server.origin, timeout=5)
    with Server(app, port=server.port) as again:
        assert requests.post(again.origin, data="back", timeout=5).text == "back"


def test_a_server_that_never_started_leaves_its_port_too(app):
    left = Server(app)
    left.stop()
    with Server(app, port=left.port) as server:
        assert server.port == left.port


def test_a_taken_port_is_an_error_that_can_be_caught(app):
    with Server(app) as server, pytest.raises(OSError, match="in use"):
        Server(app, port=server.port)
