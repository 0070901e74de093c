"""What protects every page: headers, tokens of forms, escaping, and errors that tell nothing."""

import logging
import re

import pytest
from sqlalchemy.exc import OperationalError

from plugin import db
from plugin.db import transaction
from plugin.models.commerce import Customer
from plugin.models.segments import Segment
from plugin.web import FOR_MACHINES
from tests.web.site import Site


@pytest.fixture
def database_url(sqlite_databases):
    """One kind is enough: what the database is asked here is asked on both elsewhere."""
    with sqlite_databases() as address:
        yield address


EVIL = "<script>alert('x')</script>"
PAGES = ["/segments", "/segments/new", "/rehearsal", "/deliveries", "/connections", "/connections/keys", "/requests"]
PAGES += ["/ladders", "/ladders/new", "/segments/proposed", "/segments/overlap", "/customers/attributes/file"]


def policy(answer):
    parts = (part.split() for part in answer.headers["Content-Security-Policy"].split("; "))
    return {name: allowed for name, *allowed in parts}


def answers(site, visitor, mine):
    """One answer of each kind that is made for a browser."""
    segment = f"/segments/{mine.ids['segment_id']}"
    paths = [*PAGES, segment, f"{segment}/members", f"{segment}/history", f"{segment}/edit", "/nowhere", "/segments/no"]
    paths += [f"{segment}/remove", f"{segment}/pins", f"/customers/{mine.first}"]
    yield from map(visitor.get, [*paths, f"/requests/{mine.ids['request_id']}.json", "/segments/check?query=x"])
    stranger = site.app.test_client()
    for path in ("/login", "/setup?code=x", "/segments", "/healthz", "/static/site.css", "/nowhere"):
        yield stranger.get(path, buffered=True)  # else the file stays open
    yield stranger.post("/login")
    yield stranger.put("/segments")


def test_every_answer_forbids_what_does_not_come_from_here(site, visitor, mine):
    for answer in answers(site, visitor, mine):
        allowed = policy(answer)
        assert allowed.pop("default-src") == ["'none'"]
        assert allowed.pop("frame-ancestors") == ["'none'"]
        assert allowed.pop("base-uri") == ["'none'"]
        [ours, nonce] = allowed.pop("script-src")
        assert ours == "'self'"
        assert re.fullmatch(r"'nonce-[\w-]{20,}'", nonce)
        assert (allowed.pop("require-trusted-types-for"), allowed.pop("trusted-types")) == (["'script'"], ["htmx"])
        assert set(map(tuple, allowed.values())) == {("'self'",)}, answer.request.path
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert len(answer.headers.getlist("Content-Security-Policy")) == 1


def test_each_page_has_a_nonce_of_its_own(visitor):
    policies = [visitor.get("/segments").headers["Content-Security-Policy"] for _ in range(2)]
    assert policies[0] != policies[1]


def test_nothing_but_the_looks_is_kept_by_browsers_and_proxies(site, visitor, mine):
    for answer in answers(site, visitor, mine):
        kept = answer.headers.get("Cache-Control")
        assert (kept != "no-store") == answer.request.path.startswith("/static/"), answer.request.path


def test_pages_hold_nothing_that_the_policy_would_stop(site, visitor, mine):
    for answer in answers(site, visitor, mine):
        if answer.mimetype == "text/html":
            assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", answer.text)
            nonce = re.search(r"'nonce-(.+?)'", answer.headers["Content-Security-Policy"])[1]
            source = rf'src="/static/[\w./-]+\?v=\w+" nonce="{re.escape(nonce)}" defer'
            ours = rf'<script(?!(?: type="module")? {source}></script>)'
            assert re.findall(ours, answer.text) == []
            assert re.findall(rf'<[^>]* hx-(?!nonce)(?![^>]*hx-nonce="{re.escape(nonce)}")[^>]*>', answer.text) == []
            assert re.findall(r'(?:src|href|action)="(?:\w+:)?//', answer.text) == []


def test_no_form_is_taken_without_the_token_of_its_page(site, visitor, mine):
    before = site.everything()
    for rule in site.app.url_map.iter_rules():
        if "POST" in rule.methods and rule.endpoint.partition(".")[0] not in FOR_MACHINES:
            path = rule.build({name: {**mine.ids, "platform": "mailchimp"}[name] for name in rule.arguments})[1]
            for data in ({}, {"csrf_token": "guessed"}):
                assert visitor.client.post(path, data=data).status_code == 400, path
    assert site.everything() == before


def test_every_form_of_every_page_carries_the_token(site, visitor, mine):
    for answer in answers(site, visitor, mine):
        for form in re.findall(r'<form method="post".*?</form>', answer.text, flags=re.DOTALL):
            assert 'name="csrf_token"' in form, answer.request.path


def test_what_people_wrote_is_shown_and_never_run(site, visitor, mine):
    with transaction(site.engine) as session:
        segment = session.get(Segment, (mine.shop_id, mine.ids["segment_id"]))
        segment.name, segment.tag, segment.error = EVIL, f"seg:{EVIL}", EVIL
        customer = session.get(Customer, (mine.shop_id, "1"))
        customer.email, customer.first_name = EVIL, EVIL
    site.delivery(mine, "failed", EVIL)
    path = f"/segments/{mine.ids['segment_id']}"
    for one in ["/segments", path, f"{path}/members", f"{path}/history", f"{path}/edit", "/rehearsal", "/deliveries"]:
        text = visitor.page(one)
        assert "<script>alert" not in text, one
        assert "&lt;script&gt;alert" in text, one


@pytest.mark.parametrize("query", [EVIL, f"customer_tags CONTAINS '{EVIL}", f"number_of_orders > {EVIL}"])
def test_a_query_that_is_refused_is_shown_and_never_run(visitor, query):
    answer = visitor.post("/segments/new", action="save", name=EVIL, query=query, tag=EVIL)
    assert answer.status_code == 422
    assert "<script>alert" not in answer.text
    checked = visitor.post("/segments/check", query=query)
    assert checked.mimetype == "application/json"


def test_evil_words_in_a_query_that_is_kept_are_text(visitor, mine):
    path = f"/segments/{mine.ids['segment_id']}"
    query = "customer_tags CONTAINS '<img src=x onerror=alert(1)>'"
    assert visitor.post(f"{path}/edit", action="save", name="a", query=query).status_code == 302
    for page in (path, f"{path}/edit"):
        assert "<img src=x" not in visitor.page(page)
        assert "&lt;img src=x" in visitor.page(page)


def test_errors_are_pages_of_ours_in_plain_words(visitor):
    for path, status in (("/nowhere", 404), ("/segments/nobody", 404), ("/logout", 405)):
        answer = visitor.get(path)
        assert answer.status_code == status
        assert 'href="/static/site.css?v=' in answer.text
        assert "Werkzeug" not in answer.text


def test_an_error_of_ours_is_logged_without_a_word_of_what_was_in_it(site, visitor, mine, caplog):
    site.app.testing = False
    with transaction(site.engine) as session:
        session.connection().exec_driver_sql("ALTER TABLE memberships RENAME TO elsewhere")
    with caplog.at_level(logging.DEBUG):
        answer = visitor.get(f"/segments/{mine.ids['segment_id']}?q=anna@example.com")
    assert answer.status_code == 500
    assert "memberships" not in answer.text
    assert "segments.show" in caplog.text
    assert "in show" in caplog.text
    for secret in ("anna", mine.ids["segment_id"], mine.shop_id):
        assert secret not in caplog.text


def test_health_is_told_to_everybody(site):
    assert site.app.test_client().get("/healthz").status_code == 200


def test_a_database_that_does_not_answer_is_told(time, tmp_path):
    engine = db.connect(f"sqlite:///{tmp_path}/no/such/folder/file.sqlite")
    answer = Site(engine).app.test_client().get("/healthz")
    assert answer.status_code == 503
    with pytest.raises(OperationalError), engine.connect():
        pass


def test_a_form_of_any_size_is_not_read(visitor):
    assert visitor.post("/segments/new", query="x" * 300_000).status_code == 413
