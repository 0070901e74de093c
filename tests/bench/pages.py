"""How long the pages take on a large shop: milliseconds from a request to the first byte of its answer, and to its last."""

from __future__ import annotations

import argparse
import os
import re
import tempfile
import time
from collections.abc import Iterable, Iterator
from statistics import median

from cryptography.fernet import Fernet
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from plugin import clock, db, due_days, migrations, people, shops
from plugin.app import create_app
from plugin.db import reading, transaction
from plugin.models.shops import Account, Connection
from plugin.models.tagging import TagWrite
from plugin.seal import seal
from plugin.segments.kept import keep
from plugin.web import FOR_MACHINES
from plugin.web.access.accounts import OPEN
from tests.bench import loading, store
from tests.bench.recompute import databases

SIZES = (100_000,)
ROUNDS = 5
NOW = store.NOW + 60
AIM_MS = {100_000: 300.0, 1_000_000: 1000.0}
# Pages that ask a platform, that need something which a made-up shop has none of, or that lead elsewhere.
LEFT = ("consents.", "embedded.", "installs.", "accounts.set_up", "editor.check_query")
KEPT = ("days", due_days.LANE, "compared")  # lanes that keep what pages tell
# What is asked for besides an address: where a page has filters, and where without them there is little to see.
QUERIES = {
    "activity.listing": (
        *("", "?outcome=refused", "?outcome=taken", "?change=off", "?platform=klaviyo", "?segment={segment_id}"),
        *("?customer={customer_id}", "?segment={segment_id}&outcome=refused&change=on"),
    ),
    "builder.values": (
        "?name=customer_tags",
        "?name=products_purchased&parameter=tag&like=run",
        "?name=customer_cities",
    ),
    "compared.show": ("", "?segment={segment_id}&segment={other_segment_id}"),
    "compared.sides": ("?one={segment_id}&other={other_segment_id}",),
    "conflicts.who": ("?one={segment_id}&other={other_segment_id}",),
    "editor.new": ("", "?query=number_of_orders+%3E+1"),
    "gallery.one": ("?template=regulars",),
    "home.cell": ("?recency=5&frequency=5", "?recency=1&frequency=1"),
    "home.show": ("", "?days=7", "?days=365&by=spent"),
    "segments.listing": ("", "?by=share", "?q=large"),
}
TOKEN = re.compile(r'<meta name="csrf-token" content="([^"]+)">')
# Counts of everybody, which a page fetches after itself and shows as under way: they have no aim.
COUNTS = ("/time/ahead", "/templates/one")
# What is typed is sent as a form, since addresses are logged.
TYPED = ("last 4", "first 9 last", "buyer.77@", "buyer.77@college.example.com", "+44100", "#77", "nobody at all")
WRITTEN_AHEAD = 3  # tags that activity tells of for each customer: as after some months

Asked = tuple[str, dict[str, str] | None]
"""An address, and the form that is sent there; None where the page is opened."""


def asked(app: Flask, ids: dict[str, str]) -> Iterator[Asked]:
    """Return every page that a signed-in visitor can open, with what may be asked for on it."""
    for endpoint, address in addresses(app, ids):
        for query in QUERIES.get(endpoint, ("",)):
            yield address + query.format_map(ids), None
    with app.test_request_context():
        members = app.url_for("members.look_up", segment_id=ids["segment_id"])
        for where in (app.url_for("customers.find"), members):
            yield from ((where, {"who": typed}) for typed in TYPED)


def addresses(app: Flask, ids: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Return every page that a signed-in visitor can open, by its endpoint and its address."""
    with app.test_request_context():
        for rule in app.url_map.iter_rules():
            other = rule.endpoint.partition(".")[0] in FOR_MACHINES or rule.endpoint in OPEN
            if "GET" in (rule.methods or ()) and not other and not rule.endpoint.startswith(LEFT):
                if missing := rule.arguments - ids.keys():
                    print(f"  not asked, for want of {', '.join(sorted(missing))}: {rule.endpoint}")
                else:
                    yield rule.endpoint, built(app, rule, ids)


def built(app: Flask, rule: Rule, ids: dict[str, str]) -> str:
    return app.url_for(rule.endpoint, **{name: ids[name] for name in rule.arguments})


def visitor(app: Flask, shop_id: str) -> FlaskClient:
    """Return an owner who has signed in."""
    account = Account(
        shop_id=shop_id,
        account_id="owner",
        email="owner@example.com",
        role=people.OWNER,
        password_hash="x",
        session_key="x",
        created_at=clock.now(),
    )
    with transaction(app.extensions["engine"]) as session:
        session.add(account)
    client = app.test_client()
    with client.session_transaction() as session:
        session.update(shop_id=shop_id, account_id="owner", session_key="x")
    return client


def ids_of(loaded: loading.Shop) -> dict[str, str]:
    """Return what addresses are filled with: the largest segment, and the customer with most orders."""
    with reading(loaded.engine) as session:
        everything = keep.all_of(session, loaded.shop_id)

    large = next(one for one in everything if one.name == "large orders")
    orders: dict[int, int] = {}
    for one in loaded.made.orders:
        orders[one.customer] = orders.get(one.customer, 0) + 1
    busiest = max(orders, key=orders.__getitem__)
    return {
        "segment_id": large.segment_id,
        "other_segment_id": next(one for one in everything if one.name == "lapsed").segment_id,
        "customer_id": loading.customer_id(busiest),
        "connection_id": "klaviyo",
    }


def give_keys(loaded: loading.Shop) -> None:
    """Let the connections be opened: nothing is ever called with what they hold."""
    credentials = {"shopify": {"shop": "bench", "access_token": "x", "api_secret": "x"}, "klaviyo": {"api_key": "x"}}
    with transaction(loaded.engine) as session:
        for name, held in credentials.items():
            connection = session.get(Connection, (loaded.shop_id, name))
            connection.sealed = seal(loaded.shop_id, held)


def tell_of_tags(loaded: loading.Shop) -> None:
    """Let activity tell of tags that were written, a few of which were refused."""
    with reading(loaded.engine) as session:
        tags = [(one.segment_id, one.tag) for one in keep.all_of(session, loaded.shop_id)][:WRITTEN_AHEAD]
    loading.fill(
        loaded.engine,
        TagWrite,
        (
            {
                "shop_id": loaded.shop_id,
                "written_at": loading.moment(NOW - 60 * (one.number // 500) - 86_400 * place),
                "connection_id": ("klaviyo", "shopify")[place % 2],
                "tag": tag,
                "contact": loading.customer_id(one.number) if place % 2 else f"buyer.{one.number}@{one.domain}",
                "put_on": one.number % 3 > 0,
                "outcome": "refused" if one.number % 997 == 0 else "taken",
                "segment_id": segment_id,
                "released_at": loading.moment(store.NOW),
            }
            for place, (segment_id, tag) in enumerate(tags)
            for one in loaded.made.customers
        ),
    )


def whole_history(loaded: loading.Shop) -> None:
    """Say that all of the store has come, and let all be counted that is kept from then on."""
    with transaction(loaded.engine) as session:
        shops.history_complete(session, loaded.shop_id, clock.now())
        due_days.of_shop(session, loaded.shop_id)
    for lane in KEPT:
        loaded.turn(lane)


def ask(client: FlaskClient, address: str, form: dict[str, str] | None) -> tuple[int, float, float]:
    """Return an answer's status, and the milliseconds to its first byte and to its last."""
    began = time.perf_counter()
    how = {"method": "POST", "data": form} if form is not None else {"method": "GET"}
    answer = client.open(address, buffered=False, **how)
    parts = answer.iter_encoded()
    next(parts, b"")
    first = 1000 * (time.perf_counter() - began)
    for _ in parts:
        pass
    return answer.status_code, first, 1000 * (time.perf_counter() - began)


def bench(kind: str, size: int, rounds: int) -> None:
    with databases(kind) as new, tempfile.TemporaryDirectory() as folder:
        os.environ.update(INSTANCE_DIR=folder, SECRET_KEY="made up", ENCRYPTION_KEYS=Fernet.generate_key().decode())
        url = new()
        migrations.upgrade(url)
        loaded = loading.Shop(db.connect(url), store.make(size))
        loaded.load()
        with clock.freeze(loading.moment(NOW)):
            whole_history(loaded)
            tell_of_tags(loaded)
            loaded.settle()
            give_keys(loaded)
            app = create_app(loaded.engine)
            report(kind, size, measured(visitor(app, loaded.shop_id), asked(app, ids_of(loaded)), rounds))
        loaded.engine.dispose()


def measured(client: FlaskClient, pages: Iterable[Asked], rounds: int) -> dict[str, tuple[int, float, float]]:
    """Return for each page its status and the medians of its times, after one request that nobody measures."""
    found = {}
    token = TOKEN.search(client.get("/segments").text)
    for address, typed in pages:
        form = typed and typed | {"csrf_token": token[1] if token else ""}
        ask(client, address, form)
        taken = [ask(client, address, form) for _ in range(rounds)]
        name = f"{address} {typed}" if typed else address
        found[name] = (taken[0][0], median(one[1] for one in taken), median(one[2] for one in taken))
    return found


def report(kind: str, size: int, found: dict[str, tuple[int, float, float]]) -> None:
    aim = AIM_MS[100_000 if size <= 100_000 else 1_000_000]
    print(f"{kind}, {size:,} customers: first byte, whole answer (ms); the aim is {aim:.0f} to the first byte")
    for name, (status, first, whole) in sorted(found.items(), key=lambda one: -one[1][1]):
        judged = "  a count" if any(one in name for one in COUNTS) else "  MISSED" if first > aim else ""
        print(f"  {first:8.1f} {whole:8.1f}  {status} {name}{judged}", flush=True)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--databases", nargs="+", default=("sqlite", "postgres"), choices=("sqlite", "postgres"))
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args(arguments)
    for size in given.sizes:
        for kind in given.databases:
            bench(kind, size, given.rounds)


if __name__ == "__main__":
    main()
