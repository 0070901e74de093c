"""A merchant's shop with stand-ins for its store and its e-mail platform, at a time that the tests set."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, cast
from uuid import uuid4

from sqlalchemy import Engine, delete, select

from connectors.base import Identity
from connectors.records import TagsChanged
from connectors.sources import Webhook
from connectors.stores.shopify import Shopify
from plugin import clock, ingest, lanes, shops
from plugin.db import fold, reading, table, transaction, upsert
from plugin.models.commerce import Customer, EmailAddress
from plugin.models.lanes import Lane
from plugin.models.segments import Membership, MembershipChange, Segment
from plugin.models.tagging import Contact, Destination, Job, LedgerEntry, Push
from plugin.sandbox import KlaviyoStandIn, Server, ShopifyStandIn, State
from plugin.sandbox.brevo import BrevoStandIn
from plugin.sandbox.email import Check, EmailStandIn
from plugin.sandbox.hubspot import HubSpotStandIn
from plugin.sandbox.mailchimp import MailchimpStandIn
from plugin.sandbox.omnisend import OmnisendStandIn
from plugin.sandbox.specification import checker
from plugin.sandbox.webhooks import Delivery
from plugin.tagging import ledger, plan, push, rehearsal
from tests.conftest import SHARED

WORK: lanes.Work = partial(push.run, store=ingest.store)
PLATFORMS = ("shopify", "klaviyo")
MAILCHIMP = "mailchimp/mailchimp-marketing-3.0.90.swagger2.restored.json.gz"
OMNISEND = "omnisend/omnisend-contacts-batches-2026-03-15.subset.json.gz"
HUBSPOT = ("hubspot/hubspot-crm-lists-2026-09.json.gz", "hubspot/hubspot-crm-contacts-2026-09.json.gz")


def described(*names: str) -> Check | None:
    """Judge what is written by the platform's own description, where that is at hand. It is read when it is needed.

    Where it is in several files, each body is right by the one that knows its path.
    """
    files = [SHARED / "specs/email" / name for name in names]

    def check(method: str, path: str, body: Any) -> list[str]:
        wrong = [checker(file)(method, path, body) for file in files]
        return [] if [] in wrong else [one for each in wrong for one in each]

    return check if all(file.exists() for file in files) else None


EMAIL: Mapping[str, Callable[[Callable[[], datetime]], EmailStandIn]] = {
    "klaviyo": lambda time: KlaviyoStandIn(State(None), time, "key", check=described("klaviyo/klaviyo-stable.json.gz")),
    "brevo": lambda time: BrevoStandIn(State(None), time, "key", check=described("brevo/brevo.yaml.gz")),
    "hubspot": lambda time: HubSpotStandIn(State(None), time, "token", check=described(*HUBSPOT)),
    "mailchimp": lambda time: MailchimpStandIn(State(None), time, "0123456789abcdef-us19", check=described(MAILCHIMP)),
    "omnisend": lambda time: OmnisendStandIn(State(None), time, "key", check=described(OMNISEND)),
}
PROPERTY = "tagsmith_segments"
memberships = table(Membership)


class Clock:
    """The time, which stands still until it is moved."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def move(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclass
class Post:
    """Takes the store's webhooks instead of delivering them."""

    deliveries: list[Delivery] = field(default_factory=list)

    def send(self, delivery: Delivery) -> None:
        self.deliveries.append(delivery)

    def stop(self) -> None:
        """Nothing runs."""


class Merchant:
    """One shop. Customers are numbered; `ids` are their ids in the store, which the app knows them by as well."""

    def __init__(
        self, engine: Engine, time: Clock, *, platforms: Sequence[str] = PLATFORMS, history: bool = True
    ) -> None:
        self.engine, self.time, self.post = engine, time, Post()
        domain = f"shop-{uuid4().hex[:8]}.myshopify.com"
        self.shopify = ShopifyStandIn(State(None), time, domain, "token", "secret", sender=self.post)  # type: ignore[arg-type]
        self.mail = {name: make(time) for name, make in EMAIL.items() if name in (*platforms, "klaviyo")}
        self.servers = {name: Server(one.app).start() for name, one in self.stand_ins.items()}
        for topic in ("customer.tags_added", "customer.tags_removed"):
            self.shopify.subscribe(topic, "http://localhost/webhooks")
        self.ids: dict[int, str] = {}
        self.runs = 0
        secrets: dict[str, Mapping[str, str]] = {name: one.credentials for name, one in self.mail.items()}
        secrets["shopify"] = {"shop": domain, "access_token": "token", "api_secret": "secret"}
        with transaction(engine) as session:
            shop, _ = shops.add_shop(
                session, name=domain, platform="shopify", domain=domain, zone="Europe/London", currency="GBP"
            )
            self.shop_id = shop.shop_id
            shop.guard_contacts = 1_000_000  # the guard has tests of its own
            if history:
                shops.history_complete(session, shop.shop_id, time())
            self.places = {}
            for platform in platforms:
                identity = Identity(domain if platform == "shopify" else f"account-{domain}", platform)
                origin = self.servers[platform].origin
                connection = shops.connect(session, shop, platform, secrets[platform], identity, origin)
                self.places[platform] = connection.connection_id

    @property
    def stand_ins(self) -> dict[str, Any]:
        return {"shopify": self.shopify, **self.mail}

    @property
    def klaviyo(self) -> KlaviyoStandIn:
        return cast("KlaviyoStandIn", self.mail["klaviyo"])

    def close(self) -> None:
        if not self.servers:
            return
        for stand_in in self.stand_ins.values():
            stand_in.stop()
            stand_in.state.close()
        while self.servers:
            self.servers.popitem()[1].stop()

    def opened(self, platform: str) -> shops.Opened:
        with reading(self.engine) as session:
            connection = shops.connection(session, self.shop_id, self.places[platform])
            assert connection
            return shops.opened(connection)

    def customers(self, *numbers: int, store: bool = True, mail: bool = True, **fields: Any) -> None:
        """Let customers exist in the app and, unless told otherwise, on both platforms."""
        shown = [{"email": address(number), **fields} for number in numbers]
        made = self.shopify.add(shown) if store else [f"x/{1_000_000 + number}" for number in numbers]
        self.ids |= {number: gid.rpartition("/")[2] for number, gid in zip(numbers, made, strict=True)}
        for stand_in in self.mail.values() if mail else ():
            stand_in.add([{"email": address(number)} for number in numbers])
        with transaction(self.engine) as session:
            upsert(session, table(Customer), [self.row(self.ids[one], address(one)) for one in numbers])

    def guest(self, number: int) -> str:
        """Let somebody be known to the app by address alone."""
        self.ids[number] = f"guest-{number}"
        row = {"shop_id": self.shop_id, "address": address(number), "customer_id": self.ids[number], "guest": True}
        with transaction(self.engine) as session:
            upsert(session, table(Customer), [self.row(self.ids[number], address(number), guest=True)])
            upsert(session, table(EmailAddress), [row])
        return self.ids[number]

    def row(self, customer_id: str, email: str, **more: Any) -> dict[str, Any]:
        contact = fold(email)
        return {"shop_id": self.shop_id, "customer_id": customer_id, "email": email, "contact": contact} | more

    def segment(self, name: str, *, tag: str | None = None, released: bool = True) -> str:
        """Keep a segment, its tags let out everywhere unless told otherwise; return its id."""
        now, segment_id = clock.now(), uuid4().hex
        with transaction(self.engine) as session:
            rehearsal.own_tag(session, self.shop_id, segment_id, tag or f"seg:{name}")
            session.add(
                Segment(
                    shop_id=self.shop_id,
                    segment_id=segment_id,
                    name=name,
                    query="number_of_orders >= 1",
                    tag=tag or f"seg:{name}",
                    created_at=now,
                    updated_at=now,
                )
            )
            session.flush()
            rehearsal.add_destinations(session, self.shop_id, segment_id)
        if released:
            self.release(segment_id)
        return segment_id

    def release(self, segment_id: str, *, quietly: bool = False) -> None:
        with transaction(self.engine) as session:
            for connection_id in self.places.values():
                rehearsal.release(session, self.shop_id, segment_id, connection_id, quietly=quietly)

    def enter(self, segment_id: str, *numbers: int, cause: str = "order") -> None:
        """Let customers enter a segment, as recompute does."""
        with transaction(self.engine) as session:
            here = memberships.c.segment_id == segment_id
            inside = set(session.scalars(select(memberships.c.customer_id).where(here)))
            new = [self.ids[number] for number in numbers if self.ids[number] not in inside]
            row = {"shop_id": self.shop_id, "segment_id": segment_id, "entered_at": clock.now(), "cause": cause}
            upsert(session, memberships, [row | {"customer_id": one} for one in new], change=())
            self.moved(session, segment_id, new, cause, entered=True)
            plan.mark(session, self.shop_id, [self.ids[number] for number in numbers])

    def leave(self, segment_id: str, *numbers: int, cause: str = "order") -> None:
        with transaction(self.engine) as session:
            gone = memberships.c.customer_id.in_([self.ids[number] for number in numbers])
            left = delete(memberships).where(memberships.c.segment_id == segment_id, gone)
            self.moved(
                session,
                segment_id,
                list(session.scalars(left.returning(memberships.c.customer_id))),
                cause,
                entered=False,
            )
            plan.mark(session, self.shop_id, [self.ids[number] for number in numbers])

    def moved(self, session: Any, segment_id: str, who: Sequence[str], cause: str, *, entered: bool) -> None:
        self.runs += 1
        row = {"shop_id": self.shop_id, "segment_id": segment_id, "run": self.runs, "changed_at": clock.now()}
        rows = [row | {"customer_id": one, "entered": entered, "cause": cause} for one in who]
        upsert(session, table(MembershipChange), rows)

    def readdress(self, number: int, email: str) -> None:
        """Let a customer have another address, as ingest does."""
        contact = fold(email)
        with transaction(self.engine) as session:
            customer = session.get(Customer, (self.shop_id, self.ids[number]))
            assert customer
            assert customer.contact
            before, customer.email, customer.contact = customer.contact, email, contact
            session.flush()
            plan.mark(session, self.shop_id, [customer.customer_id], [before])

    def work(self, *, patience: float = 600) -> int:
        """Work the lanes of tags, moving the time to when one is due, until none is due within `patience` seconds."""
        runs = 0
        until = self.time() + timedelta(seconds=patience)
        while True:
            runs += sum(map(self.work_once, self.places.values()))
            due = self.next_due()
            if due is None or due > until:
                return runs
            self.time.at = max(due, self.time())

    def work_once(self, connection_id: str) -> bool:
        """Work a connection's lane if it is due; return whether it was."""
        claim = lanes.claim(self.engine, self.shop_id, f"sync:{connection_id}")
        if claim:
            lanes.attempt(self.engine, claim, WORK)
        return claim is not None

    def next_due(self) -> datetime | None:
        found = (row.leased_until or row.due_at for row in self.rows(Lane) if row.kind.startswith("sync:"))
        return min((at for at in found if at), default=None)

    def rows(self, model: Any) -> list[Any]:
        found = table(model)
        with reading(self.engine) as session:
            return list(session.execute(select(found).where(found.c.shop_id == self.shop_id)))

    def settled(self) -> bool:
        """Whether nothing waits but who is missing."""
        return not self.rows(Job) and all(row.state == "missing" for row in self.rows(Push))

    def tags(self, platform: str) -> dict[str, set[str]]:
        """Return the tags on a platform: by id in the store, by address elsewhere."""
        if platform == "shopify":
            return {one["id"].rpartition("/")[2]: set(one["tags"]) for one in self.shopify.people()}
        return self.mail[platform].tags()

    def tags_of(self, number: int) -> tuple[set[str], set[str]]:
        """Return a customer's tags in the store and on the e-mail platform."""
        return self.tags("shopify").get(self.ids[number], set()), self.tags("klaviyo").get(address(number), set())

    def ledger(self, platform: str) -> dict[tuple[str, str], str]:
        """Return the ledger's states by contact and folded tag."""
        place = self.places[platform]
        return {(row.contact, row.folded): row.state for row in self.rows(LedgerEntry) if row.connection_id == place}

    def wanted(self, platform: str) -> dict[str, set[str]]:
        """Return what each contact should carry from us, told plainly from memberships and customers."""
        live = {row.segment_id for row in self.rows(Destination) if row.state == "live"}
        tags = {row.segment_id: row.tag for row in self.rows(Segment) if row.enabled and row.segment_id in live}
        keys = {
            row.customer_id: row.customer_id if platform == "shopify" else row.contact for row in self.rows(Customer)
        }
        found: dict[str, set[str]] = {}
        for row in self.rows(Membership):
            if row.segment_id in tags and keys.get(row.customer_id):
                found.setdefault(keys[row.customer_id], set()).add(tags[row.segment_id])
        return found

    def calls(self, platform: str, path: str = "") -> list[dict[str, Any]]:
        return [one for one in self.stand_ins[platform].desk.requests if path in one["path"]]

    def records(self) -> list[TagsChanged]:
        """Return what the store's tag webhooks said since the last time."""
        connector = Shopify({"shop": self.shopify.store.domain, "access_token": "token", "api_secret": "secret"})
        found, self.post.deliveries = self.post.deliveries, []
        heard = [Webhook({name.lower(): value for name, value in one.headers.items()}, one.body) for one in found]
        return [record for one in heard for record in connector.parse(one) if isinstance(record, TagsChanged)]

    def hear(self, records: Iterable[TagsChanged]) -> list[TagsChanged]:
        """Let the ledger take its own out of webhooks; return what is left of each."""
        with transaction(self.engine) as session:
            return [ledger.without_echo(session, self.shop_id, self.places["shopify"], one) for one in records]

    def known(self, platform: str) -> Collection[str]:
        place = self.places[platform]
        return {row.contact for row in self.rows(Contact) if row.connection_id == place and row.platform_id}


def address(number: int) -> str:
    return f"person{number}@example.com"
