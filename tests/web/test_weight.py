"""What comes over the wire: compressed where that is safe, at once where it is long, and small, page by page."""

import gzip
import re
import zlib
from html import unescape
from itertools import islice

import pytest
import requests
from flask import Response

from plugin.sandbox.server import Server
from tests.web.test_roles import addresses

MOST_BYTES = 150_000
RESOURCE = re.compile(r'(?:<script[^>]* src|<link[^>]* href|<img[^>]* src)="([^"]+)"')
GZIP = {"Accept-Encoding": "gzip, deflate, br"}


@pytest.fixture
def database_url(sqlite_databases):
    """One kind is enough: the database has no part in it."""
    with sqlite_databases() as address:
        yield address


def unpacked(answer):
    assert answer.headers["Content-Encoding"] == "gzip"
    return gzip.decompress(answer.data).decode()


def test_a_page_is_compressed_for_whoever_understands_it(visitor):
    plain = visitor.client.get("/docs/shopify")
    packed = visitor.client.get("/docs/shopify", headers=GZIP)
    assert "Content-Encoding" not in plain.headers
    assert "Connect a Shopify store" in unpacked(packed)
    assert len(packed.data) < len(plain.data) / 2
    assert int(packed.headers["Content-Length"]) == len(packed.data)
    for one in (plain, packed):
        assert "Accept-Encoding" in one.headers["Vary"]
    refused = visitor.client.get("/docs/shopify", headers={"Accept-Encoding": "gzip;q=0, identity"})
    assert "Content-Encoding" not in refused.headers


@pytest.mark.parametrize("asked_by", ["cross-site", "same-site"])
def test_what_another_site_asks_for_keeps_its_length_to_itself(visitor, asked_by):
    for path in ("/segments", "/login"):
        assert "Content-Encoding" not in visitor.client.get(path, headers=GZIP | {"Sec-Fetch-Site": asked_by}).headers
    for own in ("same-origin", "none"):
        unpacked(visitor.client.get("/segments", headers=GZIP | {"Sec-Fetch-Site": own}))


def test_errors_and_answers_to_programs_are_compressed_too(site, mine):
    client = site.app.test_client()
    unpacked(client.get("/nowhere", headers=GZIP))
    unpacked(client.get("/api/openapi.json", headers=GZIP))


def test_an_answer_that_takes_long_begins_at_once_and_is_closed_at_its_end(site):
    """Of 1,000,000 rows only those are made that somebody has taken."""
    made, closed = [], []

    def rows():
        try:
            yield "customer_id,email\r\n"
            for one in range(1_000_000):
                made.append(one)
                yield f"{one},customer-{one}@example.com\r\n"
        finally:
            closed.append(True)

    site.app.add_url_rule("/api/long", "long", lambda: Response(rows(), mimetype="text/csv"))
    site.app.before_request_funcs[None].clear()
    answer = site.app.test_client().get("/api/long", headers=GZIP)
    unzip = zlib.decompressobj(31)
    pieces = answer.iter_encoded()
    first = unzip.decompress(next(pieces)) or unzip.decompress(next(pieces))
    assert first == b"customer_id,email\r\n"
    assert made == []
    more = unzip.decompress(b"".join(islice(pieces, 2)))
    assert more.startswith(b"0,customer-0@example.com\r\n")
    assert len(made) < 1_000_000
    answer.close()
    assert closed


def test_a_whole_stream_can_be_read(site):
    site.app.add_url_rule("/api/long", "long", lambda: Response((f"{n}\n" for n in range(9_999)), mimetype="text/csv"))
    site.app.before_request_funcs[None].clear()
    answer = site.app.test_client().get("/api/long", headers=GZIP)
    assert unpacked(answer) == "".join(f"{n}\n" for n in range(9_999))


def test_files_are_kept_for_good_under_the_name_of_their_content(site):
    client = site.app.test_client()
    text = client.get("/login").text
    [address] = re.findall(r'"(/static/site\.css\?v=\w+)"', text)
    answer = client.get(address, headers=GZIP, buffered=True)  # else the file stays open
    kept = answer.cache_control
    assert (kept.public, kept.immutable, kept.max_age, kept.no_cache) == (True, True, 31_536_000, None)
    assert "--paper" in unpacked(answer)
    for other in ("/static/site.css", "/static/site.css?v=before"):
        answer = client.get(other, headers=GZIP, buffered=True)
        assert answer.headers["Cache-Control"] == "no-cache"
        again = client.get(other, headers=GZIP | {"If-None-Match": answer.headers["ETag"]}, buffered=True)
        assert (again.status_code, again.data) == (304, b"")


class Wire:
    """A browser that has nothing yet, counting what comes over the wire."""

    def __init__(self, origin, cookie):
        self.origin = origin
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers.update({"Cookie": cookie, "Accept-Encoding": "gzip"})
        self.files = {}

    def fetch(self, path):
        with self.session.get(f"{self.origin}{path}", stream=True, timeout=30, allow_redirects=False) as answer:
            raw = answer.raw.read(decode_content=False)
        head = sum(len(name) + len(value) + 4 for name, value in answer.headers.items())
        packed = answer.headers.get("Content-Encoding") == "gzip"
        return answer, head + len(raw), gzip.decompress(raw) if packed else raw

    def weight(self, path):
        """What a page weighs with all that it asks for; None of what is no page."""
        answer, total, body = self.fetch(path)
        if answer.status_code != 200 or not answer.headers["Content-Type"].startswith("text/html"):
            return None
        for one in {unescape(found) for found in RESOURCE.findall(body.decode())}:
            if one not in self.files:
                answer, self.files[one], _ = self.fetch(one)
                assert answer.status_code == 200, one
            total += self.files[one]
        return total


def test_no_page_weighs_more_than_150_kb_with_all_that_it_asks_for(site, mine):
    site.ladder(mine)
    site.people(mine, *(f"customer-{one}@mine.example.com" for one in range(300)))
    visitor = site.visitor(mine)
    cookie = visitor.client.get_cookie("tagsmith")
    with Server(site.app) as server:
        wire = Wire(server.origin, f"tagsmith={cookie.value}")
        own = [
            path for endpoint, method, path in addresses(site, mine) if method == "GET" and "consents" not in endpoint
        ]
        weights = {path: weight for path in ["/login", *own] if (weight := wire.weight(path))}
    assert len(weights) > 30
    assert {path: weight for path, weight in weights.items() if weight > MOST_BYTES} == {}
