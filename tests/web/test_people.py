"""The people of a shop: links that let in once, roles, the last owner, sessions ended, passwords changed."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from plugin import people
from plugin.__main__ import main
from plugin.config import settings
from plugin.db import reading, transaction
from plugin.models.shops import Account
from tests.keeping.postbox import Postbox
from tests.web.site import PASSWORD

NEW = "something else altogether"
LINK = re.compile(r"<code>[^<]*(/setup\?code=[^<]+)</code>")
EVE = "eve@example.com"


def invite(visitor, email=EVE, role="editor"):
    """Invite somebody and return the path of their link."""
    answer = visitor.post("/people", email=email, role=role)
    assert answer.status_code == 200, answer.text
    return LINK.search(answer.text)[1]


def come_in(site, path, password=NEW):
    """Follow a link and set a password by it."""
    made = site.visitor()
    answer = made.post("/setup", code=path.partition("code=")[2], password=password, again=password)
    return made, answer.status_code


def known(site, shop, email=EVE):
    with reading(site.engine) as session:
        return people.named(session, shop.shop_id, email)


def sign_in(site, shop, email=EVE, password=NEW):
    made = site.visitor()
    return made, made.post("/login", shop=shop.domain, email=email, password=password).status_code


def is_in(visitor):
    return visitor.get("/segments").status_code == 200


def test_a_link_lets_somebody_in_once_with_their_role(site, mine, visitor, time):
    link = invite(visitor, " Eve@Example.com ")
    assert link not in visitor.page("/people")
    assert link.partition("code=")[2] not in str(site.everything())
    assert EVE in site.visitor().page(link)
    eve, status = come_in(site, link)
    assert status == 302
    assert is_in(eve)
    assert eve.get("/segments/new").status_code == 200
    assert eve.post("/safety/limits", percent="1").status_code == 403
    assert come_in(site, link)[1] == 404
    assert sign_in(site, mine, "EVE@example.com")[1] == 302
    assert sign_in(site, mine, "")[1] == 401
    assert sign_in(site, mine, "", PASSWORD)[1] == 302


def test_a_link_is_void_after_a_week_after_a_newer_one_and_once_somebody_is_removed(site, mine, visitor, time):
    first = invite(visitor)
    assert sign_in(site, mine)[1] == 401  # nobody is in before a password is set
    account_id = known(site, mine).account_id
    second = LINK.search(visitor.post(f"/people/{account_id}/link").text)[1]
    assert come_in(site, first)[1] == 404
    time.move(timedelta(days=people.LINK_DAYS, seconds=1))
    assert come_in(site, second)[1] == 404
    visitor = site.visitor(mine)
    third = LINK.search(visitor.post(f"/people/{account_id}/link").text)[1]
    assert visitor.post(f"/people/{account_id}/remove").status_code == 302
    assert come_in(site, third)[1] == 404


def test_a_forgotten_password_is_replaced_by_a_link_which_ends_every_session(site, mine, visitor):
    eve, _ = come_in(site, invite(visitor))
    link = LINK.search(visitor.post(f"/people/{known(site, mine).account_id}/link").text)[1]
    assert is_in(eve)
    come_in(site, link, "a third one, for good")
    assert not is_in(eve)
    assert sign_in(site, mine)[1] == 401


def test_nobody_is_invited_twice_nor_by_what_is_no_address_nor_with_a_role_that_there_is_not(site, mine, visitor):
    invite(visitor)
    for email, role in ((EVE.upper(), "owner"), ("eve", "viewer"), ("", "viewer"), ("x@example.com", "king")):
        assert visitor.post("/people", email=email, role=role).status_code == 400
    assert len(site.rows(Account)) == 2


def test_a_role_counts_from_the_next_request_on(site, mine, visitor):
    eve, _ = come_in(site, invite(visitor, role="owner"))
    assert eve.get("/people").text.count("/remove") == 2
    visitor.post(f"/people/{known(site, mine).account_id}/role", role="viewer")
    assert "/remove" not in eve.page("/people")
    assert eve.post(f"/people/{mine.ids['account_id']}/remove").status_code == 403


def test_the_last_owner_can_neither_be_removed_nor_be_less_but_one_of_two_can(site, mine, visitor):
    invite(visitor, "invited@example.com", "owner")  # who has not come in cannot act as one
    own = f"/people/{mine.ids['account_id']}"
    for path, given in ((f"{own}/remove", {}), (f"{own}/role", {"role": "editor"})):
        answer = visitor.post(path, **given)
        assert answer.status_code == 409
        assert "That is the last owner" in answer.text
    eve, _ = come_in(site, invite(visitor, role="owner"))
    assert visitor.post(f"{own}/role", role="editor").status_code == 302
    assert eve.post(f"/people/{known(site, mine).account_id}/remove").status_code == 409
    assert eve.post(f"{own}/remove").status_code == 302
    assert not is_in(visitor)


def test_of_two_owners_who_remove_each_other_at_once_one_is_left(site, mine, visitor):
    come_in(site, invite(visitor, role="owner"))

    def remove(name):
        with transaction(site.engine) as session:
            people.remove(session, people.named(session, mine.shop_id, name), by="")

    with ThreadPoolExecutor(2) as both:
        done = [both.submit(remove, name) for name in (EVE, mine.ids["account_id"])]
    assert [one.exception() is None for one in done].count(True) == 1
    assert len(site.rows(Account)) == 1


def test_an_owner_ends_the_sessions_of_one_person_and_anybody_their_own_others(site, mine, visitor):
    eve, _ = come_in(site, invite(visitor))
    elsewhere, _ = sign_in(site, mine)
    assert eve.post("/people/sessions").status_code == 302
    assert (is_in(eve), is_in(elsewhere)) == (True, False)
    visitor.post(f"/people/{known(site, mine).account_id}/end")
    assert (is_in(eve), is_in(visitor)) == (False, True)
    visitor.post(f"/people/{mine.ids['account_id']}/end")
    assert is_in(visitor)


def test_who_changes_their_password_stays_in_and_is_out_everywhere_else(site, mine, visitor):
    eve, _ = come_in(site, invite(visitor, role="viewer"))
    elsewhere, _ = sign_in(site, mine)
    third = "and now a third one"
    for now, again in (("a wrong one, guessed", third), (NEW, "not the same")):
        assert eve.post("/people/password", now=now, password=third, again=again).status_code == 400
    assert known(site, mine).failures == 1
    assert is_in(elsewhere)
    assert eve.post("/people/password", now=NEW, password=third, again=third).status_code == 302
    assert (is_in(eve), is_in(elsewhere)) == (True, False)
    assert sign_in(site, mine)[1] == 401
    assert sign_in(site, mine, password=third)[1] == 302


def test_guessing_one_persons_password_locks_out_nobody_else(site, mine, visitor):
    come_in(site, invite(visitor))
    for _ in range(5):
        sign_in(site, mine, password="a guess, and a wrong one")
    assert sign_in(site, mine)[1] == 401
    assert sign_in(site, mine, "", PASSWORD)[1] == 302


def test_guessing_does_not_lock_out_a_browser_in_which_somebody_has_signed_in_before(site, mine, visitor):
    eve, _ = come_in(site, invite(visitor))
    own = {"shop": mine.domain, "email": EVE, "password": NEW}
    eve.post("/logout")
    with transaction(site.engine) as session:
        people.named(session, mine.shop_id, EVE).failures = 4
    sign_in(site, mine, password="a guess, and a wrong one")
    assert sign_in(site, mine)[1] == 401
    assert eve.post("/login", **own).status_code == 302
    eve.post("/people/sessions")  # from now on it has another mark
    eve.post("/logout")
    throttle, [mark] = site.app.extensions["throttle"], marks_of(eve)
    with transaction(site.engine) as session:
        account = people.named(session, mine.shop_id, EVE)
        account.failures = 4
    sign_in(site, mine, password="a guess, and a wrong one")
    for _ in range(19):
        throttle.fail(mark)
    assert eve.post("/login", **(own | {"password": "wrong, here"})).status_code == 401
    assert eve.post("/login", **own).status_code == 429
    with transaction(site.engine) as session:
        people.end_sessions(session, people.named(session, mine.shop_id, EVE), by="")
    throttle.failures.clear()
    assert eve.post("/login", **own).status_code == 401  # as anybody else


def marks_of(visitor):
    """What stays in a browser after signing out."""
    with visitor.client.session_transaction() as kept:
        assert "session_key" not in kept
        return [value for name, value in kept.items() if name == "mark"]


def test_a_shops_code_makes_an_owner_and_gives_the_nameless_one_an_address(site, mine):
    with transaction(site.engine) as session:
        session.add(people.make(mine.shop_id, "", "viewer"))
    made = site.visitor()
    given = {"code": mine.code, "password": NEW, "again": NEW}
    assert made.post("/setup", email="eve", **given).status_code == 400
    assert made.post("/setup", email=EVE, **given).status_code == 302
    [account] = site.rows(Account)
    assert (account.email, account.role) == (EVE, "owner")


def test_a_link_is_mailed_where_mail_can_be_sent_and_shown_in_any_case(site, mine, visitor, monkeypatch):
    monkeypatch.setenv("SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("SMTP_TLS", "none")
    monkeypatch.setenv("SMTP_SENDER", "tagsmith@example.com")
    with Postbox() as box:
        monkeypatch.setenv("SMTP_PORT", str(box.port))
        settings.cache_clear()
        link = invite(visitor)
        [mail] = box.mails
        assert (mail["To"], link in mail.get_content()) == (EVE, True)
        box.answers["RCPT"] = "550 nobody here"
        answer = visitor.post(f"/people/{known(site, mine).account_id}/link")
    assert "could not be mailed" in answer.text
    assert LINK.search(answer.text)


def test_people_are_kept_by_command(site, mine, monkeypatch, database_url, capsys):
    monkeypatch.setenv("DATABASE_URL", database_url)
    settings.cache_clear()

    def run(*given):
        status = main(["people", given[0], "--shop", mine.domain, *given[1:]])
        return status, capsys.readouterr().out.strip()

    site.account(mine)
    status, link = run("invite", EVE, "--role", "editor")
    assert status == 0
    eve, _ = come_in(site, f"/setup?{link.partition('?')[2]}")
    assert is_in(eve)
    assert f"{EVE}\teditor\tin" in run("list")[1]
    assert run("end-sessions", EVE)[0] == 0
    assert not is_in(eve)
    assert run("role", EVE, "viewer")[0] == 0
    assert run("role", mine.ids["account_id"], "viewer")[0] == 1
    assert run("remove", mine.ids["account_id"])[0] == 1
    again, link = run("invite", EVE)
    assert again == 0
    assert come_in(site, f"/setup?{link.partition('?')[2]}", "forgotten no more")[1] == 302
    assert run("remove", EVE)[0] == 0
    assert run("remove", EVE)[0] == 1
    assert run("invite", "nobody")[0] == 2
