"""Every address of the site, walked with the ids of another shop: nothing is found, told or changed."""

import itertools

import pytest

from plugin.config import settings
from plugin.db import transaction
from plugin.segments.kept import keep
from plugin.web import api

# Addresses for everybody, without a shop; each is looked at in a test of its own.
OPEN = {
    *("static", "pixel.receive", "pixel.permit", "health.healthz"),
    *("receive.receive", "receive.receive_engagement", "receive.show_engagement"),
    *("docs.shopify", "docs.api", "docs.segments", "docs.names", "design.show"),
    *("docs.snippet", "snippet.script", "snippet.permit", "snippet.receive"),
    *(f"api.{one.name}" for one in api.OPERATIONS),  # of the shop of the key, and of no other
    *("docs.described", "docs.index", "docs.webhooks"),
    *("accounts.login", "accounts.set_up"),
    *("installs.begin", "installs.callback", "embedded.entry", "embedded.bounce"),
}
# Pages that are about the visitor's shop as a whole.
WHOLE = {
    "attribute_files.page",
    "attribute_files.take_in",
    "attributes.listing",
    "attributes.relabel",
    "gallery.add",
    "gallery.listing",
    "gallery.one",
    "compared.count",
    "compared.show",
    "compared.sides",
    "people.change_password",
    "people.end_others",
    "languages.choose",
    "people.invite",
    "people.listing",
    "home.cell",
    "home.show",
    "accounts.logout",
    "conflicts.add",
    "conflicts.remove",
    "conflicts.who",
    "activity.download",
    "activity.listing",
    "connections.listing",
    "connections.suffice",
    "customers.find",
    "deliveries.listing",
    "deliveries.retry_all",
    "drafts.decide",
    "drafts.listing",
    "editor.add",
    "builder.values",
    "editor.check_query",
    "editor.new",
    "editor.tag",
    "editor.tested",
    "first_steps.go",
    "first_steps.go_on",
    "first_steps.put_away",
    "first_steps.rehearse",
    "first_steps.show",
    "first_steps.stop",
    "first_steps.stop_history",
    "first_steps.suffice",
    "first_steps.take",
    "keys.add",
    "keys.add_for_site",
    "keys.listing",
    "ladders.add",
    "ladders.listing",
    "ladders.new",
    "portable.download",
    "portable.page",
    "portable.take_in",
    "preferences.change_language",
    "preferences.change_prefix",
    "preferences.change_terms",
    "preferences.show",
    "rehearsals.everything",
    "requests.listing",
    "safety.set_limits",
    "safety.show",
    "segments.listing",
    "webhooks.add",
    "webhooks.listing",
}


@pytest.fixture
def mine(site, mine):
    return site.ladder(mine)


@pytest.fixture
def theirs(site, theirs):
    site.account(theirs)
    return site.ladder(theirs)


def rules(site):
    return [rule for rule in site.app.url_map.iter_rules() if rule.endpoint not in OPEN]


def walk(site, *tenants):
    """Every way to call an address with ids, each of which may be any of the tenants'; never all of the first's."""
    for rule in rules(site):
        if "platform" in rule.arguments:  # nobody's: whose shop it is says the session
            continue
        choices = [[(name, tenant.ids[name], tenant.name) for tenant in tenants] for name in sorted(rule.arguments)]
        for chosen in itertools.product(*choices):
            if chosen and {owner for _, _, owner in chosen} != {tenants[0].name}:
                path = rule.build({name: given for name, given, _ in chosen})[1]
                yield from ((method, path) for method in sorted(rule.methods - {"HEAD", "OPTIONS"}))


def call(visitor, method, path):
    return visitor.get(path) if method == "GET" else visitor.post(path, action="save", name="a", query="", enabled="")


def test_every_address_is_walked_or_is_about_a_shop_as_a_whole(site):
    assert {rule.endpoint for rule in rules(site) if not rule.arguments} == WHOLE
    assert {rule.endpoint for rule in site.app.url_map.iter_rules()} >= OPEN


def test_nothing_of_another_shop_is_found_or_changed(site, visitor, mine, theirs):
    walked = list(walk(site, mine, theirs))
    assert len(walked) > 10
    before = site.everything()
    answers = {(method, path): call(visitor, method, path).status_code for method, path in walked}
    assert answers == dict.fromkeys(walked, 404)
    assert site.everything() == before


def test_the_same_addresses_answer_with_ones_own_ids(site, visitor, mine, theirs):
    nobody = type(mine)("nobody", "", ids=dict.fromkeys(mine.ids, "x"))
    for method, path in walk(site, nobody, mine):
        if "/x/" not in path and not path.endswith(("/x", "/x.json")):
            assert call(visitor, method, path).status_code != 404 or "/check" in path, (method, path)


def test_a_page_about_a_shop_tells_nothing_of_another(site, visitor, mine, theirs, subtests):
    asked = WHOLE - {"accounts.logout", "editor.add", "keys.add", "keys.add_for_site", "deliveries.retry_all"}
    paths = {rule.endpoint: rule.build({})[1] for rule in rules(site) if rule.endpoint in asked}
    assert paths.keys() == asked
    for endpoint, path in sorted(paths.items()):
        with subtests.test(endpoint):
            text = visitor.get(path, follow_redirects=True).text
            assert "theirs" not in text
            for told in theirs.ids.values():
                assert told not in text


def test_ones_own_pages_tell_of_ones_own_shop_alone(site, visitor, mine, theirs):
    segment = f"/segments/{mine.ids['segment_id']}"
    customer = mine.ids["customer_id"]
    pages = [segment, *(f"{segment}/{part}" for part in ("members", "history", "edit", "rehearsal", f"why/{customer}"))]
    for path in (*pages, f"/customers/{customer}"):
        text = visitor.page(path)
        assert "mine" in text
        assert "theirs" not in text


def test_what_is_done_to_a_whole_shop_leaves_the_other_alone(site, visitor, mine, theirs):
    def others():
        return {name: [row for row in rows if theirs.shop_id in row] for name, rows in site.everything().items()}

    before = others()
    assert visitor.post("/deliveries/retry").status_code == 302
    assert visitor.post("/segments/new", action="save", name="Many", query="number_of_orders > 3").status_code == 302
    assert visitor.post("/logout").status_code == 302
    assert others() == before


def test_a_name_or_tag_of_another_shop_is_free(site, visitor, theirs):
    with transaction(site.engine) as session:
        [segment] = keep.all_of(session, theirs.shop_id)
    query = "number_of_orders > 3"
    answer = visitor.post("/segments/new", action="save", name=segment.name, tag=segment.tag, query=query)
    assert answer.status_code == 302


def test_nobody_gets_in_without_signing_in(site, mine):
    stranger = site.visitor()
    before = site.everything()
    named = {**mine.ids, "platform": "klaviyo"}
    for rule in rules(site):
        path = rule.build({name: named[name] for name in rule.arguments})[1]
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            answer = call(stranger, method, path)
            expected = (302, "/login") if method == "GET" else (401, None)
            assert (answer.status_code, answer.headers.get("Location")) == expected, (method, path)
    assert site.everything() == before


def test_a_session_that_was_signed_with_another_key_opens_nothing(site, visitor, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "another")
    settings.cache_clear()
    other = type(site)(site.engine).visitor()
    stolen = visitor.client.get_cookie("tagsmith").value
    other.client.set_cookie("tagsmith", stolen)
    assert other.client.get("/segments").headers["Location"] == "/login"
