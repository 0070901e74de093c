"""The first password, signing in and out, and what stands in the way of guessing."""

import re
from datetime import timedelta

import pytest

from plugin import passwords, shops
from plugin.config import settings
from plugin.db import transaction
from plugin.models.shops import Account, Shop
from tests.web.site import PASSWORD, Site

GUESS = {"password": "a guess, and a wrong one"}


def enter(visitor, shop, password=PASSWORD):
    return visitor.post("/login", shop=shop, password=password).status_code


def words(answer):
    """What an answer says, without what is different in any two."""
    kept = [line for line in answer.text.splitlines() if not re.search(r"csrf|nonce|id=\"shop\"", line)]
    return answer.status_code, kept


def test_a_code_sets_the_first_password_once(site, mine):
    visitor = site.visitor()
    assert "mine shop" in visitor.page(f"/setup?code={mine.code}")
    answer = visitor.post("/setup", code=mine.code, password=PASSWORD, again=PASSWORD)
    assert answer.headers["Location"] == "/first-steps"
    assert "mine regulars" in visitor.page("/segments")
    again = site.visitor().post("/setup", code=mine.code, password="another, " * 2, again="another, " * 2)
    assert again.status_code == 404
    assert site.visitor().get(f"/setup?code={mine.code}").status_code == 404
    assert enter(site.visitor(), mine.domain) == 302


def test_neither_code_nor_password_can_be_read_in_the_database(site, mine):
    site.visitor().post("/setup", code=mine.code, password=PASSWORD, again=PASSWORD)
    kept = str(site.everything())
    assert mine.code not in kept
    assert PASSWORD not in kept
    assert "scrypt:" in site.rows(Account)[0].password_hash


@pytest.mark.parametrize(
    ("password", "again"),
    [("short", "short"), (PASSWORD, "something else"), ("", ""), ("x" * 201, "x" * 201)],
    ids=["short", "different", "empty", "endless"],
)
def test_a_first_password_that_will_not_do_leaves_the_code_as_it_is(site, mine, password, again):
    answer = site.visitor().post("/setup", code=mine.code, password=password, again=again)
    assert answer.status_code == 400
    assert "notice bad" in answer.text
    assert site.rows(Account) == []
    assert site.visitor().get(f"/setup?code={mine.code}").status_code == 200


@pytest.mark.parametrize("code", ["", "guessed"])
def test_without_the_right_code_there_is_nothing_to_set(site, mine, code):
    assert site.visitor().get(f"/setup?code={code}").status_code == 404
    answer = site.visitor().post("/setup", code=code, password=PASSWORD, again=PASSWORD)
    assert answer.status_code == 404
    assert site.rows(Account) == []


def test_a_new_code_sets_a_new_password_and_ends_every_session(site, mine):
    before = site.visitor(mine)
    with transaction(site.engine) as session:
        code = shops.renew_code(session, mine.shop_id)
    new = "something else altogether"
    site.visitor().post("/setup", code=code, password=new, again=new)
    assert before.get("/segments").headers["Location"] == "/login"
    assert enter(site.visitor(), mine.domain) == 401
    assert enter(site.visitor(), mine.domain, new) == 302


@pytest.mark.parametrize("name", ["mine.myshopify.com", "MINE.myshopify.com", "mine shop", " mine shop "])
def test_a_shop_is_named_by_its_domain_or_its_name(site, mine, theirs, name):
    site.account(mine)
    assert enter(site.visitor(), name) == 302


def test_the_only_shop_is_filled_in_and_of_several_none(site, mine):
    assert 'value="mine.myshopify.com"' in site.visitor().page("/login")
    site.shop("theirs")
    text = site.visitor().page("/login")
    assert "mine" not in text
    assert "theirs" not in text


def test_signing_out_ends_the_session(site, visitor):
    assert visitor.post("/logout").headers["Location"] == "/login"
    assert visitor.get("/segments").headers["Location"] == "/login"


def test_signing_in_begins_a_session_of_its_own(site, mine, theirs):
    site.account(theirs)
    visitor = site.visitor(mine)
    before = visitor.client.get_cookie("tagsmith").value
    enter(visitor, theirs.domain)
    assert visitor.client.get_cookie("tagsmith").value != before
    assert "mine" not in visitor.page("/segments")


def test_a_wrong_password_a_shop_that_is_not_there_and_one_without_a_password_look_the_same(site, mine, theirs):
    site.account(mine)
    wrong, absent, unset = (
        site.visitor().post("/login", shop=shop, **GUESS)
        for shop in (mine.domain, "nobody.myshopify.com", theirs.domain)
    )
    assert words(wrong) == words(absent) == words(unset)
    assert wrong.status_code == 401


def test_a_password_is_hashed_whether_the_shop_is_there_or_not(site, mine, monkeypatch):
    site.account(mine)
    passwords.nobodys()
    hashed = []
    monkeypatch.setattr("hashlib.scrypt", lambda *given, **more: hashed.append(more) or b"x" * 64)
    for shop in (mine.domain, "nobody.myshopify.com"):
        site.visitor().post("/login", shop=shop, **GUESS)
    assert len(hashed) == 2
    assert hashed[0].keys() == hashed[1].keys()


@pytest.fixture
def guess(site, mine):
    """Guess wrong a number of times; `before` are failures that nobody has to sit through here."""
    site.account(mine)

    def guesses(times, before=0):
        with transaction(site.engine) as session:
            passwords.of_shop(session, mine.shop_id).failures += before
        for _ in range(times):
            answer = site.visitor().post("/login", shop=mine.domain, **GUESS)
        return answer

    return guesses


def test_after_five_wrong_passwords_even_the_right_one_has_to_wait(site, mine, time, guess):
    guess(2, before=2)
    assert enter(site.visitor(), mine.domain) == 302  # and the count begins anew
    guess(4, before=1)
    assert enter(site.visitor(), mine.domain) == 401
    time.move(timedelta(minutes=1, seconds=1))
    assert enter(site.visitor(), mine.domain) == 302


def test_the_pause_doubles_and_knocking_meanwhile_does_not_prolong_it(site, mine, time, guess):
    guess(1, before=4)
    time.move(timedelta(seconds=50))
    guess(2)
    time.move(timedelta(seconds=11))
    guess(1)
    time.move(timedelta(seconds=61))
    assert enter(site.visitor(), mine.domain) == 401
    time.move(timedelta(seconds=60))
    assert enter(site.visitor(), mine.domain) == 302


def test_a_pausing_account_looks_like_a_wrong_password(site, mine, guess):
    first = guess(1)
    guess(1, before=5)
    assert words(site.visitor().post("/login", shop=mine.domain, password=PASSWORD)) == words(first)


def test_a_client_that_fails_too_often_has_to_wait_whatever_the_shop(site, mine, time):
    site.account(mine)
    for _ in range(19):
        site.app.extensions["throttle"].fail("127.0.0.1")
    assert enter(site.visitor(), "nobody.myshopify.com", "guess") == 401
    assert enter(site.visitor(), mine.domain) == 429
    elsewhere = site.visitor()
    elsewhere.client.environ_base["REMOTE_ADDR"] = "198.51.100.7"
    assert enter(elsewhere, mine.domain) == 302
    time.move(timedelta(minutes=11))
    assert enter(site.visitor(), mine.domain) == 302


@pytest.mark.parametrize(("proxies", "seen"), [("0", "127.0.0.1"), ("1", "198.51.100.7")])
def test_a_client_is_who_the_proxies_that_are_ours_say(engine, time, monkeypatch, proxies, seen):
    monkeypatch.setenv("PROXIES", proxies)
    settings.cache_clear()
    site = Site(engine)
    visitor = site.visitor()
    forwarded = {"X-Forwarded-For": "203.0.113.1, 198.51.100.7"}
    visitor.client.post("/login", data={"csrf_token": visitor.token, "shop": "x", "password": "x"}, headers=forwarded)
    assert list(site.app.extensions["throttle"].failures) == [seen]


def test_a_cookie_is_for_this_site_and_its_server_alone(site, mine):
    kept = site.visitor(mine).client.get_cookie("tagsmith")
    assert (kept.http_only, kept.same_site, kept.secure) == (True, "Lax", False)


def test_in_production_a_cookie_travels_encrypted_only(engine, time, monkeypatch):
    with monkeypatch.context() as production:
        production.setenv("ENVIRONMENT", "production")
        settings.cache_clear()
        client = Site(engine).app.test_client()
    settings.cache_clear()
    answer = client.get("/login", base_url="https://tagsmith.example.com")
    assert answer.headers["Set-Cookie"].startswith("__Host-tagsmith=")
    assert "Secure; HttpOnly; Path=/; SameSite=Lax" in answer.headers["Set-Cookie"]


def test_an_account_of_a_shop_that_is_gone_opens_nothing(site, mine):
    visitor = site.visitor(mine)
    with transaction(site.engine) as session:
        session.delete(passwords.of_shop(session, mine.shop_id))
    assert visitor.get("/segments").headers["Location"] == "/login"
    assert len(site.rows(Shop)) == 1
