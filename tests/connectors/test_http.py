"""How platforms are called: which addresses, within which limits, and what a failure says."""

import contextlib
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests
from responses import matchers

from connectors import deadline, http
from connectors.errors import ConfigurationError, PermanentError, RetryableError
from connectors.http import Http, retry_after

URL = "https://api.example.com/things"
KEY = {"Authorization": "Bearer secret-token"}


class Handler(BaseHTTPRequestHandler):
    """Answers by path, and counts who came."""

    def do_GET(self):
        self.server.asked.append(self.path)
        body = b'{"ok": true}'
        match self.path:
            case "/redirect":
                self.send_response(302)
                self.send_header("Location", f"{self.server.origin}/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            case "/drip":
                self.drip()
                return
            case "/half":
                self.send_response(200)
                self.send_header("Content-Length", str(len(body) * 2))
            case "/chunks":
                self.send_response(200)
                self.send_header("Transfer-Encoding", "chunked")
                body = b"5\r\n{'a':"
            case _:
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def drip(self):
        """Send headers without end, each in less time than one may take to read."""
        self.send_response(200)
        self.flush_headers()
        with contextlib.suppress(OSError):
            for number in range(500):
                self.wfile.write(f"X-{number}: more\r\n".encode())
                time.sleep(0.02)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.asked = []
    made.origin = f"http://127.0.0.1:{made.server_port}"
    thread = threading.Thread(target=made.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


class TestWhichAddressesMayBeCalled:
    @pytest.mark.parametrize(
        "host",
        [
            *("127.0.0.1", "127.1", "localhost", "2130706433", "0x7f000001", "0177.0.0.1", "0.0.0.0", "0"),
            *("10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "192.0.2.1", "224.0.0.1", "255.255.255.255"),
            *("169.254.169.254", "169.254.170.2", "[fd00:ec2::254]", "[fe80::1]", "[fc00::1]"),
            *(
                "[::1]",
                "[::]",
                "[::ffff:127.0.0.1]",
                "[::ffff:169.254.169.254]",
                "[64:ff9b::7f00:1]",
                "[2002:7f00:1::]",
            ),
        ],
    )
    def test_no_address_inside_is_called(self, server, host):
        with pytest.raises(ConfigurationError, match="may not be called"):
            Http("acme").call("GET", f"http://{host}:{server.server_port}/inside", KEY)
        assert server.asked == []

    def test_a_name_that_leads_inside_is_not_called(self, server):
        for name in ("localhost", "ip6-localhost", "LOCALHOST", "localhost."):
            with pytest.raises((ConfigurationError, RetryableError)):
                Http("acme").call("GET", f"http://{name}:{server.server_port}/inside", KEY)
        assert server.asked == []

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "acme.example",
            "https://",
            "https://a..b/",
            "https://[",
            "ftp://acme.example/",
            "file:///etc/passwd",
            "https://exa mple.com:port/",
        ],
    )
    def test_what_is_no_address_is_for_the_merchant_to_mend(self, url):
        with pytest.raises(ConfigurationError, match="may not be called"):
            Http("acme").call("GET", url, KEY)

    def test_the_practice_shops_exact_origin_is_the_only_exception(self, server):
        practice = Http("acme", practice_origin=server.origin)
        assert practice.origin(URL) == server.origin
        assert practice.call("GET", f"{server.origin}/practice", KEY).body == {"ok": True}
        others = [
            server.origin.replace("127.0.0.1", "localhost"),
            server.origin.replace("127.0.0.1", "127.0.0.2"),
            server.origin.replace("http:", "https:"),
            server.origin.replace("http://", "http://user@"),
            "http://127.0.0.1:1",
        ]
        for other in others:
            with pytest.raises(ConfigurationError):
                practice.call("GET", f"{other}/inside", KEY)
        assert server.asked == ["/practice"]

    def test_without_a_practice_origin_there_is_none(self, server):
        for origin in (None, ""):
            with pytest.raises(ConfigurationError):
                Http("acme", practice_origin=origin).call("GET", f"{server.origin}/inside", KEY)
        assert server.asked == []

    def test_redirects_are_not_followed(self, server, api):
        practice = Http("acme", practice_origin=server.origin)
        api.add_passthru(server.origin)
        with pytest.raises(PermanentError, match="answered 302"):
            practice.call("GET", f"{server.origin}/redirect", KEY)
        assert server.asked == ["/redirect"]
        api.get(URL, status=307, headers={"Location": "http://169.254.169.254/"})
        with pytest.raises(PermanentError, match="answered 307"):
            Http("acme").call("GET", URL, KEY)


class TestACall:
    def test_sends_json_and_returns_json(self, api):
        sent = matchers.json_params_matcher({"tags": ["é"]})
        api.post(URL, json={"ok": [1, 2]}, headers={"X-Left": "7"}, match=[sent, matchers.header_matcher(KEY)])
        answer = Http("acme").call("POST", URL, KEY, body={"tags": ["é"]})
        assert answer.body == {"ok": [1, 2]}
        assert answer.headers["x-left"] == "7"

    def test_sends_its_parameters_encoded(self, api):
        wanted = {"page[size]": "100", "filter": 'any(email,["a+b@example.com"])'}
        api.get(URL, json={}, match=[matchers.query_param_matcher(wanted)])
        Http("acme").call("GET", URL, KEY, **wanted)

    def test_an_empty_answer_is_nothing(self, api):
        api.delete(URL, status=204)
        assert Http("acme").call("DELETE", URL, KEY).body is None

    def test_waits_five_seconds_to_connect_and_thirty_to_read(self, api):
        api.get(URL, json={}, match=[matchers.request_kwargs_matcher({"timeout": (5, 30)})])
        Http("acme").call("GET", URL, KEY)

    def test_credentials_of_a_netrc_file_do_not_replace_the_connections(self, api, tmp_path, monkeypatch):
        (tmp_path / "netrc").write_text("machine api.example.com login somebody password else\n")
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        api.get(URL, json={}, match=[matchers.header_matcher(KEY)])
        Http("acme").call("GET", URL, KEY)


class TestWhatAFailureSays:
    @pytest.mark.parametrize("path", ["half", "chunks"])
    def test_an_answer_that_breaks_off_is_asked_for_again(self, server, path):
        with pytest.raises(RetryableError):
            Http("acme", practice_origin=server.origin).call("GET", f"{server.origin}/{path}", KEY)

    def test_headers_that_never_end_are_not_waited_for(self, server, monkeypatch):
        monkeypatch.setattr(deadline, "BEGIN_SECONDS", 0.2)
        began = time.monotonic()
        with pytest.raises(RetryableError):
            Http("acme", practice_origin=server.origin).call("GET", f"{server.origin}/drip", KEY)
        assert time.monotonic() - began < 5

    def test_a_port_that_nobody_listens_on_is_tried_again(self, server):
        origin = server.origin
        server.shutdown()
        server.server_close()
        with pytest.raises(RetryableError, match="acme GET /x: no connection"):
            Http("acme", practice_origin=origin).call("GET", f"{origin}/x", KEY)

    def test_an_answer_without_end_is_cut_off_by_its_size(self, api, monkeypatch):
        monkeypatch.setattr(http, "ANSWER_BYTES", 1_000)
        api.get(URL, body=b" " * 1_001)
        with pytest.raises(PermanentError, match="more than 1,000 bytes"):
            Http("acme").call("GET", URL, KEY)

    def test_an_answer_without_end_is_cut_off_by_its_time(self, api, monkeypatch):
        monkeypatch.setattr(http, "ANSWER_SECONDS", -1)
        api.get(URL, body=b" ")
        with pytest.raises(RetryableError, match="seconds"):
            Http("acme").call("GET", URL, KEY)

    @pytest.mark.parametrize("status", [404, 409, 422])
    def test_a_refusal_brings_the_platforms_own_words(self, api, status):
        api.post(URL, status=status, json={"errors": ["no"]})
        with pytest.raises(PermanentError) as caught:
            Http("acme").call("POST", URL, KEY, body={})
        assert (caught.value.status, caught.value.answer) == (status, {"errors": ["no"]})

    @pytest.mark.parametrize("body", [b"", b"<html>", b"\xff", b"[" * 5_000])
    def test_a_refusal_without_readable_words_is_still_one(self, api, body):
        api.post(URL, status=400, body=body)
        with pytest.raises(PermanentError) as caught:
            Http("acme").call("POST", URL, KEY, body={})
        assert caught.value.answer is None

    def test_messages_name_platform_call_and_status_alone(self, api):
        api.get(URL, status=500, body="anna@example.com")
        with pytest.raises(RetryableError) as caught:
            Http("acme").call("GET", f"{URL}?email=anna@example.com", KEY, token="secret")
        assert str(caught.value) == "acme GET /things answered 500"

    def test_no_cause_carries_the_address_into_the_log(self, api):
        api.get(URL, body=requests.ConnectionError(f"{URL}?email=anna@example.com"))
        with pytest.raises(RetryableError) as caught:
            Http("acme").call("GET", URL, KEY, email="anna@example.com")
        assert str(caught.value) == "acme GET /things: no connection"
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None


class TestHowLongToWait:
    NOW = datetime(2026, 11, 6, 7, 8, 9, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("given", "seconds"),
        [
            (None, None),
            ("", None),
            ("0", 0),
            ("17", 17),
            ("1.5", 1.5),
            ("-3", 0),
            ("999999999999", 86_400),
            ("inf", 86_400),
            ("nan", None),
            ("soon", None),
            ("Fri, 06 Nov 2026 07:09:09 GMT", 60),
            ("Fri, 06 Nov 2026 09:09:09 +0200", 60),
            ("Fri, 06 Nov 2026 07:09:09 -0000", 60),
            ("Friday, 06-Nov-26 07:09:09 GMT", 60),
            ("Fri Nov  6 07:09:09 2026", 60),
            ("Thu, 05 Nov 2026 07:09:09 GMT", 0),
            ("Fri, 06 Nov 2099 07:09:09 GMT", 86_400),
            ("Fri, 99 Nov 2026 07:09:09 GMT", None),
            ("Fri, 06 Nov 99999999999999999999 07:09:09 GMT", None),
        ],
    )
    def test_seconds_and_dates_are_read_and_never_lead_beyond_a_day(self, given, seconds):
        assert retry_after(given, self.NOW) == seconds

    def test_it_is_passed_on_with_a_429_and_a_503(self, api):
        for status in (429, 503):
            api.get(URL, status=status, headers={"Retry-After": "9"})
            with pytest.raises(RetryableError) as caught:
                Http("acme").call("GET", URL, KEY)
            assert caught.value.retry_after == 9
