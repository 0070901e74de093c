"""What each role may do: every address for every role, and no button for what is refused."""

import re
from urllib.parse import urlsplit

import pytest
from werkzeug.exceptions import HTTPException

from plugin import people
from plugin.web import FOR_MACHINES
from plugin.web.page import roles
from tests.web.test_tenants import OPEN, call

# Said here once more, by hand: what only sees may write, and what a maker of segments may.
VIEWERS_WRITE = {
    *("accounts.logout", "clauses.show", "customers.find", "editor.check_query", "languages.choose"),
    *("members.look_up", "people.change_password", "people.end_others"),
}
EDITORS_WRITE = VIEWERS_WRITE | {
    *("compared.count",),
    *("conflicts.add", "conflicts.remove", "deliveries.retry", "deliveries.retry_all", "drafts.decide", "editor.add"),
    *(
        "editor.change",
        "editor.tested",
        "edits.restore",
        "first_steps.go",
        "first_steps.put_away",
        "first_steps.stop",
        "first_steps.take",
        "gallery.add",
        "gallery.learn",
        "ladders.add",
        "ladders.change",
    ),
    *("ladders.remove", "pins.pin", "pins.pin_here", "pins.unpin", "pins.unpin_here", "portable.take_in"),
    *("rehearsals.audience", "rehearsals.release", "removals.remove", "reviews.done", "safety.drop_webhooks"),
    *("safety.read_back", "safety.release_webhooks", "safety.repair", "safety.take_back"),
    *(
        "segment_settings.change",
        "segments.switch",
        "snapshots.delete",
        "snapshots.take",
        "trials.drop",
        "trials.expect",
    ),
}
FORMS_OF_EDITORS = {
    *("editor.edit", "editor.new", "ladders.ask", "ladders.edit", "ladders.new", "removals.ask", "deliveries.body"),
    *("members.export", "snapshots.members"),
}
FORMS_OF_OWNERS = {
    *("attribute_files.page", "consents.begin", "consents.callback", "consents.choose", "requests.download"),
    *("safety.ask_to_leave", "connections.ask_to_disconnect", "connections.new", "people.ask_to_remove"),
}
FORM = re.compile(r'<form[^>]*method="post"[^>]*>')
ADDRESS = re.compile(r'(?:href|action|data-check|data-backtest|data-tag)="(/[^"#]*)')


@pytest.fixture
def database_url(sqlite_databases):
    """One kind is enough: roles are asked of no database."""
    with sqlite_databases() as address:
        yield address


def expected(role, endpoint, method):
    """Whether a role may, as the two lists above have it."""
    if role == "owner":
        return True
    if method == "GET":
        return endpoint not in FORMS_OF_OWNERS and (role == "editor" or endpoint not in FORMS_OF_EDITORS)
    return endpoint in (EDITORS_WRITE if role == "editor" else VIEWERS_WRITE)


def addresses(site, tenant):
    """Every way to call an address that needs signing in, with the shop's own ids."""
    named = tenant.ids | {"platform": "klaviyo"}
    for rule in site.app.url_map.iter_rules():
        if rule.endpoint not in OPEN and rule.endpoint.partition(".")[0] not in FOR_MACHINES:
            path = rule.build({name: named[name] for name in rule.arguments})[1]
            yield from ((rule.endpoint, method, path) for method in sorted(rule.methods - {"HEAD", "OPTIONS"}))


@pytest.mark.parametrize("role", people.ROLES)
def test_every_address_is_for_the_roles_that_it_is_for_and_refuses_others_in_words(site, mine, role):
    site.ladder(mine)
    site.account(mine)
    before = site.everything() if role == "viewer" else None
    walked = [one for one in addresses(site, mine) if one[0] != "accounts.logout"]
    visitor = site.visitor(mine, role)
    refused = set()
    for endpoint, method, path in walked:
        answer = call(visitor, method, path)
        assert (answer.status_code == 403) != expected(role, endpoint, method), (endpoint, method, answer.status_code)
        if answer.status_code == 403:
            assert "This is not for your role" in answer.text
            refused.add((endpoint, method))
    assert bool(refused) == (role != "owner")
    if before:
        changing = {"accounts", "people_changes"}  # wrong passwords are counted, ended sessions noted
        assert {name for name, rows in site.everything().items() if rows != before[name]} <= changing


def test_the_table_names_no_address_that_is_not_there(site):
    assert roles.NEEDS.keys() <= {rule.endpoint for rule in site.app.url_map.iter_rules()}


@pytest.mark.parametrize("role", people.ROLES)
def test_no_page_offers_what_the_role_may_not_do(site, mine, role, subtests):
    site.ladder(mine)
    site.account(mine)
    visitor = site.visitor(mine, role)
    find = site.app.url_map.bind("localhost").match
    offered = set()
    for endpoint, method, path in addresses(site, mine):
        if method != "GET" or not expected(role, endpoint, method) or endpoint.startswith("consents"):
            continue
        text = visitor.get(path).text
        for form in FORM.findall(text):
            to = re.search(r'action="([^"]*)"', form)
            offered.add((path, urlsplit(to[1]).path if to else path, "POST"))
        offered |= {(path, urlsplit(to).path, "GET") for to in ADDRESS.findall(re.sub(FORM, "", text))}
    assert len(offered) > 100
    for page, path, method in sorted(offered):
        try:
            endpoint = find(path, method=method)[0]
        except HTTPException:
            raise AssertionError((page, path, method)) from None
        if endpoint not in OPEN:
            assert expected(role, endpoint, method), (page, path, method)
