"""Shops to look at, and somebody who looks: forms are sent with the token of the page, as a browser does."""

import base64
import hashlib
import hmac
import json
import re
import uuid
from dataclasses import dataclass, field
from functools import cache
from itertools import count

from jinja2 import BytecodeCache
from sqlalchemy import select
from sqlmodel import SQLModel

from connectors.base import Identity
from plugin import api_keys, clock, passwords, shops, snippet
from plugin.app import create_app
from plugin.db import reading, table, transaction, upsert
from plugin.models.commerce import Customer
from plugin.models.inbox import Delivery
from plugin.models.privacy import DataRequest
from plugin.models.segments import Membership, MembershipChange
from plugin.models.shops import Account
from plugin.models.structures import Ladder
from plugin.outgoing import endpoints
from plugin.segments.kept import keep, snapshots

PASSWORD = "correct horse battery"
SECRET = "shpss_made_up"
TOKEN = re.compile(r'<meta name="csrf-token" content="([^"]+)">')


@dataclass
class Tenant:
    """One shop with one of everything that a page can be about. Each text that it holds contains its name."""

    name: str
    domain: str
    shop_id: str = ""
    code: str = ""
    ids: dict[str, str] = field(default_factory=dict)
    store_id: str = ""
    key: str = ""
    first: int = 1  # the number of its first customer: no two shops have the same
    secret: str = ""


class Compiled(BytecodeCache):
    """Templates compiled once for all tests: each has an app of its own."""

    def __init__(self):
        self.kept = {}

    def load_bytecode(self, bucket):
        if bucket.key in self.kept:
            bucket.bytecode_from_string(self.kept[bucket.key])

    def dump_bytecode(self, bucket):
        self.kept[bucket.key] = bucket.bytecode_to_string()


COMPILED = Compiled()


class Site:
    """The app over a database of its own."""

    def __init__(self, engine):
        self.engine = engine
        self.firsts = count(1, 1000)
        self.app = create_app(engine)
        self.app.jinja_env.bytecode_cache = COMPILED

    def shop(self, name, *, history=True):
        """Make a shop with a segment of two members, two connections, a delivery set aside and a data request."""
        tenant = Tenant(name, f"{name}.myshopify.com", first=next(self.firsts))
        with transaction(self.engine) as session:
            shop, tenant.code = shops.add_shop(
                session,
                name=f"{name} shop",
                platform="shopify",
                domain=tenant.domain,
                zone="Europe/London",
                currency="GBP",
            )
            tenant.shop_id = shop.shop_id
            if history:
                shops.history_complete(session, shop.shop_id, clock.now())
            store = self.connect(session, shop, "shopify", tenant.domain)
            tenant.store_id = store.connection_id
            mail = self.connect(session, shop, "klaviyo", f"{name}-mail")
            segment = keep.add(session, shop, f"{name} regulars", f"customer_tags CONTAINS '{name} friends'")
            copy = snapshots.take(session, segment, f"{name} campaign", by="")
            key, tenant.key = api_keys.add(session, shop.shop_id, f"{name} calls", api_keys.SCOPES)
            endpoint, _ = endpoints.add(session, shop.shop_id, f"https://{name}.example.com/hook")
            site_key, tenant.secret = snippet.add(session, shop.shop_id, f"https://{name}.example.com")
        tenant.ids = {
            "segment_id": segment.segment_id,
            "connection_id": mail.connection_id,
            "key_id": key.key_id,
            "customer_id": str(tenant.first),
            "snapshot_id": copy.snapshot_id,
            "site_key": site_key.site_key,
            "endpoint_id": endpoint.endpoint_id,
            "ladder_id": f"{name}-ladder",
            "account_id": f"{shop.shop_id}-owner",
        }
        self.people(tenant, f"anna@{name}.example.com", f"bert@{name}.example.com")
        tenant.ids["delivery_id"] = self.delivery(tenant, "failed", f"{name} failed")
        tenant.ids["request_id"] = f"{name}-request"
        with transaction(self.engine) as session:
            session.add(
                DataRequest(
                    shop_id=tenant.shop_id,
                    request_id=f"{name}-request",
                    customer_id="1",
                    contact=f"anna@{name}.example.com",
                    asked_at=clock.now(),
                )
            )
        return tenant

    def connect(self, session, shop, platform, account):
        credentials = {
            "shopify": {"shop": account, "access_token": "shpat_made_up", "api_secret": SECRET},
            "klaviyo": {"api_key": "pk_made_up"},
        }
        return shops.connect(session, shop, platform, credentials[platform], Identity(account, account))

    def ladder(self, tenant):
        """Give a shop a ladder of which no level is left. Not every test wants one: it stands in lists and files."""
        own = {"shop_id": tenant.shop_id, "created_at": clock.now(), "updated_at": clock.now()}
        with transaction(self.engine) as session:
            session.add(Ladder(**own, ladder_id=tenant.ids["ladder_id"], name=f"{tenant.name} ladder"))
        return tenant

    def people(self, tenant, *emails, cause="order"):
        """Let customers be members of the shop's segment, since now."""
        who = {"shop_id": tenant.shop_id, "guest": False, "seen_at": clock.now()}
        rows = [
            who | {"customer_id": str(one), "email": email, "contact": email}
            for one, email in enumerate(emails, tenant.first)
        ]
        place = {"shop_id": tenant.shop_id, "segment_id": tenant.ids["segment_id"], "cause": cause}
        now = clock.now()
        with transaction(self.engine) as session:
            upsert(session, table(Customer), rows)
            ids = [{"customer_id": row["customer_id"]} for row in rows]
            upsert(session, table(Membership), [place | one | {"entered_at": now} for one in ids])
            changed = {"run": 1, "changed_at": now, "entered": True}
            upsert(session, table(MembershipChange), [place | one | changed for one in ids])

    def delivery(self, tenant, state, error=None, body=b"{}"):
        delivery_id = uuid.uuid4().hex
        row = Delivery(
            shop_id=tenant.shop_id,
            delivery_id=delivery_id,
            connection_id=tenant.store_id,
            topic="orders/create",
            received_at=clock.now(),
            headers="{}",
            body=body,
            state=state,
            error=error,
        )
        with transaction(self.engine) as session:
            session.add(row)
        return delivery_id

    def visitor(self, tenant=None, role="owner"):
        """A browser; signed in to a shop if one is named, as its owner or else as somebody of another role."""
        made = Visitor(self.app.test_client())
        if tenant:
            made.enter(self.account(tenant, role))
        return made

    def account(self, tenant, role="owner"):
        """Whoever of this role there is in a shop; its first owner is known by no address."""
        owner = role == "owner"
        account_id = f"{tenant.shop_id}-{role}"
        with transaction(self.engine) as session:
            account = session.get(Account, (tenant.shop_id, account_id))
            if account is None:
                account = Account(
                    shop_id=tenant.shop_id,
                    account_id=account_id,
                    email="" if owner else f"{role}@{tenant.name}.example.com",
                    role=role,
                    password_hash=password_hash(),
                    session_key="made up",
                    created_at=clock.now(),
                )
                session.add(account)
        return account

    def everything(self):
        """All rows of all tables."""
        with reading(self.engine) as session:
            return {
                one.name: sorted(map(repr, session.execute(select(one)).all()))
                for one in SQLModel.metadata.sorted_tables
            }

    def rows(self, model):
        with reading(self.engine) as session:
            return session.execute(select(table(model))).all()


@cache
def password_hash():
    """Made once: it takes its time."""
    return passwords.hashed(PASSWORD)


class Visitor:
    """A browser that sends each form with the token of the page before."""

    def __init__(self, client):
        self.client = client
        self.token = TOKEN.search(client.get("/login").text)[1]

    def enter(self, account):
        """Have the session that signing in begins."""
        with self.client.session_transaction() as session:
            session.update(shop_id=account.shop_id, account_id=account.account_id, session_key=account.session_key)

    def get(self, path, **more):
        answer = self.client.get(path, **more)
        if found := TOKEN.search(answer.text):
            self.token = found[1]
        return answer

    def post(self, path, /, **data):
        answer = self.client.post(path, data={"csrf_token": self.token} | data)
        if path in ("/login", "/setup", "/logout"):
            self.get("/login")
        return answer

    def said(self, answer):
        """The page that an answer leads to."""
        assert answer.status_code == 302, answer.text
        return self.page(answer.headers["Location"])

    def page(self, path):
        """The text of a page that is there."""
        answer = self.get(path)
        assert answer.status_code == 200, (path, answer.status)
        return answer.text


def signed(tenant, topic, body, *, webhook_id="1", secret=SECRET, family="X-Shopify-", **headers):
    """What Shopify sends: signed by hand, since what checks it must not be what signs it."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    signature = base64.b64encode(hmac.new(secret.encode(), raw, hashlib.sha256).digest()).decode()
    own = {
        f"{family}Topic": topic,
        f"{family}Hmac-Sha256": signature,
        f"{family}Shop-Domain": tenant.domain,
        f"{family}Webhook-Id": webhook_id,
    }
    return {"data": raw, "headers": own | headers, "content_type": "application/json"}
