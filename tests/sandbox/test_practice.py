"""The practice shop as a whole: started, left, and found again as it was."""

import socket
from random import Random

import pytest
import requests

from plugin.sandbox import start
from plugin.sandbox.consent import ClientApp
from plugin.sandbox.mailers import PLATFORMS, Mailers


@pytest.fixture
def practice(clock):
    running = start(None, clock, customers=60)
    yield running
    running.stop()


def ask(practice, query):
    return requests.post(
        f"{practice.shopify_server.origin}/admin/api/2026-10/graphql.json",
        json={"query": query},
        headers={"X-Shopify-Access-Token": practice.shopify.access_token},
        timeout=5,
    ).json()["data"]


def test_both_stand_ins_answer_for_the_made_up_shop(practice):
    assert ask(practice, "{ customersCount { count } shop { currencyCode } }") == {
        "customersCount": {"count": 60},
        "shop": {"currencyCode": "GBP"},
    }
    headers = {"Authorization": f"Klaviyo-API-Key {practice.klaviyo.api_key}", "revision": "2026-07-15"}
    profiles = requests.get(f"{practice.klaviyo_server.origin}/api/profiles", headers=headers, timeout=5).json()["data"]
    assert len(profiles) == 20


def test_it_is_found_again_as_it_was_left_and_at_the_same_address(tmp_path, clock):
    first = start(tmp_path / "shop", clock, customers=60)
    try:
        before = (first.shopify_server.origin, first.klaviyo_server.origin, first.shopify.access_token)
        first.shopify.add([{"email": "new@example.com", "tags": ["gold"]}])
        people = first.shopify.people(), first.klaviyo.people()
    finally:
        first.stop()
    clock.pass_(86_400)
    second = start(tmp_path / "shop", clock, customers=60)
    try:
        assert (second.shopify_server.origin, second.klaviyo_server.origin, second.shopify.access_token) == before
        assert (second.shopify.people(), second.klaviyo.people()) == people
    finally:
        second.stop()


def test_it_moves_when_its_port_is_taken(tmp_path, clock):
    first = start(tmp_path, clock, customers=60)
    port = first.shopify_server.port
    first.stop()
    with socket.create_server(("127.0.0.1", port)):
        second = start(tmp_path, clock, customers=60)
        try:
            assert second.shopify_server.port != port
            assert ask(second, "{ customersCount { count } }") == {"customersCount": {"count": 60}}
        finally:
            second.stop()


def test_what_happens_is_told_to_those_who_subscribed(practice, receiver):
    for topic in ("orders/create", "orders/paid", "customers/create"):
        practice.shopify.subscribe(topic, receiver.url)
    chance, sent = Random(1), 0
    while "customers/create" not in receiver.topics:
        sent += practice.happen(chance)
        assert practice.shopify.sender.flush()
    assert len(receiver.received) == sent
    by_event = {}
    for headers, _ in receiver.received:
        by_event.setdefault(headers["X-Shopify-Event-Id"], []).append(headers["X-Shopify-Topic"])
    assert ["customers/create", "orders/create", "orders/paid"] in by_event.values()


def test_most_new_customers_reach_the_e_mail_tool(practice):
    chance, profiles = Random(1), practice.state.count("profile")
    customers = practice.state.count("customer")
    for _ in range(150):
        practice.happen(chance)
    newcomers = practice.state.count("customer") - customers
    assert 0 < practice.state.count("profile") - profiles < newcomers


def test_the_other_mailers_know_the_same_people_and_are_found_again_with_what_was_granted(practice, tmp_path, clock):
    back = "http://127.0.0.1:8000/back"
    clients = {one: ClientApp(f"app-{one}", "secret", [back]) for one in PLATFORMS}
    people = practice.klaviyo.people()
    asked = {"response_type": "code", "client_id": "app-mailchimp", "redirect_uri": back, "state": "s"}
    tokens, origins = [], []
    for _ in range(2):
        mailers = Mailers(tmp_path, clock, clients)
        try:
            mailers.introduce(people)
            for one in PLATFORMS:
                known = [person["email"] for person in mailers.stand_ins[one].people()]
                assert sorted(known) == sorted(one["email"] for one in people if one["email"])
            origins.append(mailers.origins)
            place = f"{mailers.origins['mailchimp']}/oauth2"
            if not tokens:
                went = requests.post(f"{place}/authorize", params=asked, timeout=5, allow_redirects=False)
                code = went.headers["Location"].partition("code=")[2].partition("&")[0]
                form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back}
                secret = {"client_id": "app-mailchimp", "client_secret": "secret"}
                tokens.append(requests.post(f"{place}/token", form | secret, timeout=5).json()["access_token"])
            headers = {"Authorization": f"OAuth {tokens[0]}"}
            assert requests.get(f"{place}/metadata", headers=headers, timeout=5).json()["dc"] == "us19"
        finally:
            mailers.stop()
    assert origins[0] == origins[1]
