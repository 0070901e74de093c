"""The snippet: serves the shop's own pages alone, believes nobody about somebody else, and waits for consent."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import select

from connectors.records import CustomerRedaction
from plugin import shops, snippet
from plugin.db import reading, table, transaction
from plugin.models.access import ApiKey, SiteKey
from plugin.models.events import Event
from plugin.models.shops import Counter
from plugin.privacy import redact_customer
from plugin.segments.language import check, vocabulary
from plugin.web.machines.snippet import OF_A_SHOP, OF_AN_ADDRESS
from tests.web.conftest import NOON

SCRIPT = Path(__file__).parents[2] / "plugin/web/static/snippet.js"
COLUMNS = ("customer_id", "kind", "subject_id", "subject", "source", "happened_at")


@pytest.fixture
def page(site, mine):
    """A page of the shop `mine`, at which its customer 1 looks."""
    return Page(site, mine)


class Page:
    def __init__(self, site, tenant):
        self.site, self.tenant, self.browser = site, tenant, site.app.test_client()
        self.key, self.origin = tenant.ids["site_key"], f"https://{tenant.name}.example.com"

    def told(self, *events, customer="1", secret=None):
        proof = snippet.proof(secret or self.tenant.secret, customer)
        return {"customer": customer, "proof": proof, "events": events or (seen(),)}

    def send(self, body, *, key=None, origin=None, address="203.0.113.7", **more):
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Origin": self.origin if origin is None else origin, "Content-Type": "text/plain;charset=UTF-8"}
        where = {"REMOTE_ADDR": address}
        path = f"/site/{key or self.key}"
        return self.browser.post(path, data=raw, headers=headers | more, environ_base=where)

    def kept(self):
        with reading(self.site.engine) as session:
            found = session.execute(select(table(Event).c[COLUMNS]).order_by(table(Event).c.event_id))
            return [tuple(row) for row in found]


def seen(number=1, kind="page_viewed", subject="https://mine.example.com/about", **more):
    return {"id": f"0a1b2c3d-{number:04}", "kind": kind, "subject": subject} | more


def test_what_a_customer_does_is_kept_dated_by_its_arrival_and_without_what_may_name_persons(page):
    events = (
        seen(1, subject="https://ann:secret@mine.example.com/about?email=ann@example.com#me"),
        seen(2, "product_viewed", "77", tags=["Sale"]),
        seen(3, "collection_viewed", "8"),
        seen(4, "searched", "blue mugs"),
        seen(5, "form_submitted", "newsletter"),
        seen(6, "link_clicked", "https://elsewhere.example.com/?ref=1"),
        seen(7, "link_clicked", "size guide"),
        seen(8, "link_clicked", "mailto:ann@example.com"),
        seen(9, subject="https://mine.example.com/people/ann@example.com"),
        seen(10, subject="about"),
    )
    answer = page.send(page.told(*events))
    assert (answer.status_code, answer.text, answer.headers["Access-Control-Allow-Origin"]) == (204, "", page.origin)
    assert "Set-Cookie" not in answer.headers
    assert page.kept() == [
        ("1", kind, subject_id, subject, "site", NOON)
        for kind, subject_id, subject in (
            ("page_viewed", None, "https://mine.example.com/about"),
            ("product_viewed", "77", None),
            ("collection_viewed", "8", None),
            ("searched", None, "blue mugs"),
            ("form_submitted", None, "newsletter"),
            ("link_clicked", None, "https://elsewhere.example.com/"),
            ("link_clicked", None, "size guide"),
        )
    ]
    assert page.send(page.told(*events)).status_code == 204
    assert len(page.kept()) == 7
    assert [one.last_used_at for one in page.site.rows(SiteKey) if one.site_key == page.key] == [NOON]


def test_nobody_can_send_as_somebody_else_and_nobody_is_told_whom_we_know(page, theirs):
    for proof in ("", "0" * 64, snippet.proof(page.tenant.secret, "2"), snippet.proof(theirs.secret, "1")):
        assert page.send(page.told() | {"proof": proof}).status_code == 400
    assert page.send(page.told(customer="99")).status_code == 204
    assert page.kept() == []
    with reading(page.site.engine) as session:
        names = table(Counter).c["name", "count"]
        assert session.execute(select(names)).all() == [("unknown:site:page_viewed", 1)]


def test_only_the_shops_own_pages_may_send_and_read_the_answer(page, theirs):
    for origin in ("", "null", "https://theirs.example.com", f"{page.origin}.example.org", "http://mine.example.com"):
        refused = page.send(page.told(), origin=origin)
        assert refused.status_code == 403
        assert "Access-Control-Allow-Origin" not in refused.headers
        asked = page.browser.options(f"/site/{page.key}", headers={"Origin": origin})
        assert (asked.status_code, "Access-Control-Allow-Origin" in asked.headers) == (403, False)
    asked = page.browser.options(f"/site/{page.key}", headers={"Origin": page.origin})
    assert (asked.status_code, asked.headers["Access-Control-Allow-Origin"]) == (204, page.origin)
    assert "Origin" in asked.vary
    assert page.send(page.told(), key="tsp_no").status_code == 404
    assert page.send(page.told(), key=theirs.ids["site_key"]).status_code == 403
    with transaction(page.site.engine) as session:
        snippet.revoke(session, page.tenant.shop_id, page.key)
    assert page.send(page.told()).status_code == 404
    assert page.kept() == []


def test_what_has_not_the_shape_of_it_is_refused(page):
    bad = (b"", b"{", b"[]", b"\xff", b"[" * 5_000, {}, page.told() | {"more": 1}, page.told(*[seen()] * 21))
    wrong = (
        seen(kind="call_received"),
        seen(kind="event"),
        seen(subject=""),
        seen(subject="x" * 501),
        seen(more=1),
        seen() | {"id": "x"},
        seen() | {"id": "0a1b2c3d-0001\n"},
        seen(tags="sale"),
    )
    for body in (*bad, *map(page.told, wrong)):
        assert page.send(body).status_code == 400, body
    assert page.send(page.told(*[seen(subject="y" * 450)] * 20)).status_code == 413
    assert page.kept() == []


def test_so_much_is_taken_of_a_visitors_address_and_of_a_shop_in_a_minute(page):
    of_shops, of_addresses = page.site.app.extensions["snippet rates"]
    for _ in range(OF_AN_ADDRESS):
        assert of_addresses.admits("203.0.113.7")
    refused = page.send(page.told())
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")
    assert page.send(page.told(), address="203.0.113.8").status_code == 204
    while of_shops.admits(page.key):
        pass
    assert page.send(page.told(), address="203.0.113.9").status_code == 429
    assert "203.0.113" not in repr([vars(one) for one in (of_shops, of_addresses)])
    assert OF_A_SHOP > OF_AN_ADDRESS


def test_it_supplies_the_names_of_pages_and_nothing_that_only_a_key_of_the_api_does(page):
    with transaction(page.site.engine) as session:
        session.execute(table(SiteKey).delete())
        session.execute(table(ApiKey).delete())
        words = vocabulary.of(session, shops.shop(session, page.tenant.shop_id))
        assert not check("site.searched IS NULL", words).ok
        snippet.add(session, page.tenant.shop_id, page.origin)
        words = vocabulary.of(session, shops.shop(session, page.tenant.shop_id))
    assert check("site.searched IS NULL AND storefront.collection_viewed MATCHES (tag = 'x')", words).ok
    assert not check("call_received IS NULL", words).ok


def test_of_the_browser_its_kinds_are_kept_and_nothing_else(page):
    phone = (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E1"
    )
    page.send(page.told(seen(1)), **{"User-Agent": phone})
    page.send(page.told(seen(2)), **{"User-Agent": "x" * 5_000})
    with reading(page.site.engine) as session:
        rows = session.execute(select(table(Event)).order_by(table(Event).c.event_id)).all()
    assert [(row.device, row.operating_system) for row in rows] == [("mobile", "ios"), (None, None)]
    assert "15E1" not in repr(rows)


def test_what_was_seen_goes_with_whoever_is_forgotten(page):
    page.send(page.told())
    with transaction(page.site.engine) as session:
        redact_customer(session, shops.shop(session, page.tenant.shop_id), CustomerRedaction("1", None))
    page.send(page.told(seen(2)))
    assert page.kept() == []


def test_a_key_is_made_on_the_page_for_addresses_of_the_shop_and_its_secret_shown_once(site, mine, visitor):
    text = visitor.post("/connections/keys/site", pages="https://Shop.Example.com/ http://localhost:8000/a").text
    secret = re.search(r"<p><code>([\w-]{43})</code>", text)[1]
    assert "data-key=" in text
    assert secret not in visitor.page("/connections/keys")
    with reading(site.engine) as session:
        [key] = [one for one in snippet.all_of(session, mine.shop_id) if one.site_key != mine.ids["site_key"]]
    assert key.origins == ("http://localhost:8000", "https://shop.example.com")
    assert secret not in key.sealed
    for pages in (
        "",
        "shop.example.com",
        "ftp://shop.example.com",
        "https://",
        "https://a b",
        "https://u@a.example.com",
    ):
        assert visitor.post("/connections/keys/site", pages=pages).status_code == 400, pages
    revoke = f"/connections/keys/site/{key.site_key}/revoke"
    assert "not its name" in visitor.said(visitor.post(revoke, name=key.site_key))
    assert visitor.post(revoke, name=key.origins[0]).status_code == 302
    assert visitor.post(revoke, name=key.origins[0]).status_code == 404


def test_the_script_is_served_to_any_page_and_the_documentation_shows_where_it_goes(site):
    client = site.app.test_client()
    with client.get("/snippet.js", buffered=True) as served:
        assert served.data == SCRIPT.read_bytes()
        assert (served.mimetype, served.headers["Cross-Origin-Resource-Policy"]) == ("text/javascript", "cross-origin")
        assert "Set-Cookie" not in served.headers
    text = client.get("/docs/snippet").text
    assert all(platform in text for platform in ("WooCommerce", "Shopify", "Node", "Python"))


RUN = """
const vm = require("vm"), fs = require("fs"), sent = [], heard = {};
const dataset = { key: "tsp_1", customer: "7", proof: "ab", product: "77", tags: "sale, new" };
const location = { href: "https://shop.example.com/a?b=ann@example.com#c", host: "shop.example.com" };
const document = {
  currentScript: { dataset, src: "https://tagsmith.example.com/snippet.js" },
  addEventListener: (name, act) => { heard[name] = act; },
};
const fetch = (address, options) => { sent.push([address, options]); return Promise.resolve(); };
const window = { tagsmith: [["searched", "too early"]] };
const { crypto } = globalThis;
vm.runInNewContext(fs.readFileSync(process.argv[1], "utf8"), { window, document, location, fetch, crypto, URL });
const link = { href: "https://elsewhere.example.com/x?y=1", host: "elsewhere.example.com", dataset: {} };
const act = () => {
  window.tagsmith.push(["searched", "mugs"]);
  heard.submit({ target: { getAttribute: () => null, id: "newsletter", action: "/send" } });
  heard.click({ target: { closest: () => link } });
};
act();
const before = sent.length;
window.tagsmith.push(["consent", "yes"]);
act();
const unsure = sent.length;
window.tagsmith.push(["consent", true]);
act();
window.tagsmith.push(["consent", false]);
act();
console.log(JSON.stringify({ before, unsure, sent }));
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node to run the script")
def test_the_script_sends_nothing_without_consent_and_then_what_the_page_says():
    ran = subprocess.run(["node", "-e", RUN, str(SCRIPT)], capture_output=True, text=True, check=True)
    told = json.loads(ran.stdout)
    assert (told["before"], told["unsure"]) == (0, 0)
    assert {address for address, _ in told["sent"]} == {"https://tagsmith.example.com/site/tsp_1"}
    assert {options["credentials"] for _, options in told["sent"]} == {"omit"}
    bodies = [json.loads(options["body"]) for _, options in told["sent"]]
    assert all(snippet.Beacon.model_validate(body | {"proof": "a" * 64}) for body in bodies)
    assert [(one["kind"], one["subject"], one.get("tags")) for body in bodies for one in body["events"]] == [
        ("page_viewed", "https://shop.example.com/a", None),
        ("product_viewed", "77", ["sale", "new"]),
        ("searched", "mugs", None),
        ("form_submitted", "newsletter", None),
        ("link_clicked", "https://elsewhere.example.com/x", None),
    ]
