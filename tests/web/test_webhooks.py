"""The page of outgoing webhooks, and its commands: addresses added, tried, sent to again, and removed."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import responses

from plugin import clock, shops
from plugin.__main__ import main
from plugin.config import settings
from plugin.db import reading, transaction
from plugin.models.segments import Segment
from plugin.models.webhooks import WebhookDelivery, WebhookEndpoint
from plugin.outgoing import cutting, endpoints
from plugin.segments.membership import feed
from plugin.worker import work_all
from tests.web.test_segments import shown

URL = "https://93.184.215.14/tagsmith"
PATH = "/connections/webhooks"


@pytest.fixture
def database_url(sqlite_databases):
    """What the databases are asked is asked on both elsewhere."""
    with sqlite_databases() as address:
        yield address


@pytest.fixture
def mine(site, mine):
    """A shop that tells nobody yet."""
    with transaction(site.engine) as session:
        endpoints.remove(session, mine.shop_id, mine.ids.pop("endpoint_id"))
    return mine


def kept(site, tenant):
    with reading(site.engine) as session:
        return endpoints.all_of(session, tenant.shop_id)


def added(site, visitor, tenant, **form):
    page = visitor.post(PATH, url=URL, **form).text
    [endpoint] = kept(site, tenant)
    return endpoint, re.search(r"whsec_[A-Za-z0-9+/=]+", page)[0]


def work(site):
    work_all(site.engine, lambda _, kind: kind.startswith("webhook:"))


def test_an_address_is_added_with_a_secret_that_is_shown_once(site, mine, visitor):
    endpoint, secret = added(site, visitor, mine)
    assert (endpoint.url, endpoint.segments, endpoint.addresses) == (URL, None, False)
    own = f"{PATH}/{endpoint.endpoint_id}"
    for path in (PATH, own):
        assert URL in visitor.page(path)
        assert secret not in visitor.page(path)
    assert secret not in repr(site.rows(WebhookEndpoint))
    renewed = re.search(r"whsec_[A-Za-z0-9+/=]+", visitor.post(f"{own}/rotate").text)[0]
    assert renewed != secret
    assert endpoints.secrets_of(kept_one(site, mine, endpoint)) == [renewed, secret]


def kept_one(site, tenant, endpoint):
    with reading(site.engine) as session:
        return endpoints.known(session, tenant.shop_id, endpoint.endpoint_id)


def test_segments_are_chosen_by_hand_and_none_of_another_shop(site, mine, theirs, visitor):
    own, others = mine.ids["segment_id"], theirs.ids["segment_id"]
    for wrong in ({}, {"segment": [others]}, {"segment": [own, others]}):
        assert visitor.post(PATH, url=URL, which="some", **wrong).status_code == 400
    for url in ("http://93.184.215.14/", "https://10.1.2.3/", "", "https://127.0.0.1/"):
        assert visitor.post(PATH, url=url).status_code == 400
    assert kept(site, mine) == []
    endpoint, _ = added(site, visitor, mine, which="some", segment=[own], addresses="yes")
    assert (endpoint.segments, endpoint.addresses) == ((own,), True)
    assert "mine regulars" in visitor.page(PATH)


def test_a_test_is_sent_and_what_came_of_it_is_shown_and_sent_again(site, mine, visitor):
    endpoint, _ = added(site, visitor, mine)
    own = f"{PATH}/{endpoint.endpoint_id}"
    assert "on its way" in visitor.said(visitor.post(f"{own}/ping"))
    with responses.RequestsMock() as http:
        http.post(URL, status=500)
        work(site)
    page = visitor.page(own)
    assert "answered 500" in page
    [delivery] = site.rows(WebhookDelivery)
    assert "sent again" in visitor.said(visitor.post(f"{own}/replay", delivery=delivery.delivery_id))
    with responses.RequestsMock() as http:
        http.post(URL)
        work(site)
    assert "answered 500" not in visitor.page(own)
    for wrong in ({"since": "yesterday"}, {}):
        assert visitor.post(f"{own}/replay", **wrong).status_code == 400
    assert "0 deliveries" in visitor.said(visitor.post(f"{own}/replay", since="2026-11-01"))
    assert "nothing to skip" in visitor.said(visitor.post(f"{own}/skip", delivery=delivery.delivery_id))
    visitor.post(f"{own}/replay", delivery=delivery.delivery_id)
    assert "is skipped" in visitor.said(visitor.post(f"{own}/skip", delivery=delivery.delivery_id))
    assert "skipped" in visitor.page(own)
    assert "again" in visitor.said(visitor.post(f"{own}/on"))
    assert "1 delivery is listed no more" in shown(visitor.page(own))
    refused = visitor.post(f"{own}/remove", name="")
    assert (refused.status_code, len(kept(site, mine))) == (422, 1)
    visitor.said(visitor.post(f"{own}/remove", name=urlsplit(URL).netloc))
    assert (kept(site, mine), site.rows(WebhookDelivery)) == ([], [])
    assert visitor.get(own).status_code == 404


def test_commands_do_the_same(site, mine, monkeypatch, capsys):
    monkeypatch.setenv("DATABASE_URL", site.engine.url.render_as_string(hide_password=False))
    settings.cache_clear()
    shop = ("--shop", mine.domain)

    def told(*command):
        assert main(["webhooks", *command]) == 0, command
        return capsys.readouterr().out.strip()

    endpoint_id, secret = told("add", *shop, URL, "--segment", "mine regulars", "--addresses").split("\t")
    assert endpoints.secrets_of(kept(site, mine)[0]) == [secret]
    delivery_id = told("ping", *shop, endpoint_id).split("\t")[0]
    with responses.RequestsMock() as http:
        http.post(URL)
        work(site)
    assert told("list", *shop).split("\t")[:4] == [
        endpoint_id,
        URL,
        "active",
        "waiting=0 held=0 delivered=1 refused=0 failed=0",
    ]
    assert told("deliveries", *shop, endpoint_id).split("\t")[0] == delivery_id
    assert told("replay", *shop, endpoint_id, delivery_id) == "1 sent again"
    assert told("replay", *shop, endpoint_id, "--since", "2026-11-01T00:00") == "0 sent again"
    assert told("skip", *shop, endpoint_id, delivery_id) == f"{delivery_id}\tskipped"
    assert main(["webhooks", "skip", *shop, endpoint_id, delivery_id]) == 1
    capsys.readouterr()
    assert told("rotate", *shop, endpoint_id).split("\t")[1] != secret
    before = endpoints.secrets_of(kept(site, mine)[0])
    assert main(["rotate-keys"]) == 0
    assert endpoints.secrets_of(kept(site, mine)[0]) == before
    capsys.readouterr()
    assert told("on", *shop, endpoint_id) == f"{endpoint_id}\tactive"
    assert main(["webhooks", "add", *shop, "https://10.0.0.1/"]) == 2
    assert main(["webhooks", "add", *shop, URL, "--segment", "nobody's"]) == 2
    assert told("remove", *shop, endpoint_id) == f"{endpoint_id}\tremoved"
    for command in ("ping", "remove", "replay"):
        assert main(["webhooks", command, *shop, endpoint_id]) == 1


def test_a_held_mass_is_shown_with_its_numbers_and_sent_or_dropped(site, mine, visitor, time, monkeypatch, capsys):
    endpoint, _ = added(site, visitor, mine)
    segment_id, own = mine.ids["segment_id"], f"{PATH}/{endpoint.endpoint_id}"
    for how, said in (("release", "1 webhook is sent"), ("drop", "2 webhooks are dropped")):
        time.move(timedelta(minutes=1))
        hold(site, mine, endpoint)
        page = visitor.page("/safety")
        assert URL in page
        assert "<dt>Customers in them</dt><dd>1</dd>" in page
        assert "/safety" in visitor.page(own)
        assert "held" in visitor.page(PATH)
        path = f"/segments/{segment_id}/webhooks/{endpoint.endpoint_id}/{how}"
        assert said in visitor.said(visitor.post(path))
        assert "Nothing is held." in visitor.page("/safety")
        assert visitor.post(path).status_code == 409
        assert visitor.post(path.replace(endpoint.endpoint_id, "nobodys")).status_code == 404
    assert [row.state for row in site.rows(WebhookDelivery)] == ["skipped"] * 2
    monkeypatch.setenv("DATABASE_URL", site.engine.url.render_as_string(hide_password=False))
    settings.cache_clear()
    shop = ("--shop", mine.domain)
    for how, said in (("release", "1 webhooks are sent"), ("drop", "2 webhooks are dropped")):
        time.move(timedelta(minutes=1))
        hold(site, mine, endpoint)
        assert main(["tags", "held", *shop]) == 0
        assert f"{URL}\t+1 -0 of 2" in capsys.readouterr().out
        assert main(["webhooks", how, *shop, endpoint.endpoint_id, "mine regulars"]) == 0
        assert said in capsys.readouterr().out
        assert main(["webhooks", how, *shop, endpoint.endpoint_id, "mine regulars"]) == 1


def hold(site, tenant, endpoint):
    """Let more enter than the shop's limits allow."""
    change = feed.Change(feed.Place(1), "1", True, clock.now(), "order")
    with transaction(site.engine) as session:
        shop = shops.shop(session, tenant.shop_id)
        shop.guard_contacts = shop.guard_percent = 0
        kept_one = endpoints.known(session, tenant.shop_id, endpoint.endpoint_id, alone=True)
        segment = session.get(Segment, (tenant.shop_id, tenant.ids["segment_id"]))
        cutting.tell(session, shop, kept_one, segment, [change])


def test_other_segments_are_chosen_on_its_page_and_by_a_command(site, mine, theirs, visitor, monkeypatch, capsys):
    endpoint, _ = added(site, visitor, mine)
    own, segment_id = f"{PATH}/{endpoint.endpoint_id}", mine.ids["segment_id"]
    for wrong in ({"segment": []}, {"segment": [theirs.ids["segment_id"]]}):
        assert visitor.post(f"{own}/choose", which="some", **wrong).status_code == 400
    assert "from now on" in visitor.said(visitor.post(f"{own}/choose", which="some", segment=[segment_id]))
    assert kept_one(site, mine, endpoint).segments == (segment_id,)
    monkeypatch.setenv("DATABASE_URL", site.engine.url.render_as_string(hide_password=False))
    settings.cache_clear()
    for given, said in (((), "all segments"), (("--segment", "mine regulars"), "mine regulars")):
        assert main(["webhooks", "choose", "--shop", mine.domain, endpoint.endpoint_id, *given]) == 0
        assert capsys.readouterr().out == f"{endpoint.endpoint_id}\t{said}\n"
