"""The page of outgoing webhooks, and its commands: addresses added, tried, sent to again, and removed."""

import re

import pytest
import responses

from plugin.__main__ import main
from plugin.config import settings
from plugin.db import reading, transaction
from plugin.models.webhooks import WebhookDelivery, WebhookEndpoint
from plugin.outgoing import endpoints
from plugin.worker import work_all

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
    visitor.said(visitor.post(f"{own}/remove"))
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
        "waiting=0 delivered=1 refused=0 failed=0",
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
