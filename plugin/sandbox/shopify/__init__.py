"""Shopify's stand-in: the Admin GraphQL API for one store over HTTP, and its webhooks."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from flask import Flask, Response, abort, jsonify, request

from plugin.sandbox import payloads, records
from plugin.sandbox.desk import Desk
from plugin.sandbox.faults import Faults, install
from plugin.sandbox.ids import Ids
from plugin.sandbox.model import Customer, Store, text
from plugin.sandbox.payloads import Payload
from plugin.sandbox.state import Document, State
from plugin.sandbox.webhooks import Delivery, Sender, Signer

from .admin import Admin
from .bulk import Bulk, finished, parts
from .bulk_mutations import BulkMutations
from .bulk_queries import BulkQueries
from .cost import Bucket
from .engine import Engine
from .fields import SCOPES, metafields_told
from .metafields import Metafields
from .oauth import App
from .past_roots import BulkRoots, PastRoots
from .pixels import Pixels
from .roots import Roots
from .segments import Segments
from .subscriptions import Subscriptions

__all__ = ["CLIENT_ID", "App", "ShopifyStandIn"]

CLIENT_ID = "practice-app"

API_VERSION = "2026-10"
WITH_METAFIELDS = ("customers/create", "customers/update")
SHOP_ID = 91_000_000_001
RANGE = re.compile(r"bytes=(\d+)-")
REFUSALS = {
    401: "[API] Invalid API key or access token (unrecognized login or wrong password)",
    429: "Exceeded the rate limit of this app. Reduce request rates to resume uninterrupted service.",
    500: "Internal Server Error",
    504: "Gateway Timeout",
}


class ShopifyStandIn:
    """One store. `app` answers its API; `emit` sends its webhooks to whoever has subscribed; `stop` ends both."""

    def __init__(
        self,
        state: State,
        now: Callable[[], datetime],
        shop_domain: str,
        access_token: str,
        api_secret: str,
        *,
        plan: str = "standard",
        name: str = "Practice Shop",
        currency: str = "GBP",
        zone: str = "Europe/London",
        scopes: Sequence[str] = SCOPES,
        app: App | None = None,
        unapproved: Collection[str] = (),
        schema_path: Path | None = None,
        sender: Sender | None = None,
        chance: random.Random | None = None,
    ) -> None:
        self.state, self.now = state, now
        self.access_token, self.api_secret = access_token, api_secret
        self.admin = Admin(state, app or App(CLIENT_ID, [api_secret]), shop_domain, now, scopes)
        self.store = Store(SHOP_ID, shop_domain, name, currency, zone)
        self.bucket = Bucket.of_plan(plan, now)
        self.ids = Ids(state)
        self.subscriptions = Subscriptions(state, self.ids, self._at, API_VERSION)
        self.signer = Signer(shop_domain, api_secret, API_VERSION, chance or random.SystemRandom())
        self.sender = sender or Sender(gave_up=self.drop)
        self.engine = Engine(self.bucket, schema_path)
        self.past = PastRoots(state, self.store)
        self.bulk = Bulk(state, self.ids, now, self._bulk_ended)
        bulk_roots = BulkRoots(self.bulk, BulkQueries(self.engine, self.past.walks, unapproved))
        roots = (state, self.store, self.subscriptions, scopes, self._at, self._tags_changed, self.past, bulk_roots)
        self.mutations = BulkMutations(self.bulk, self.engine, bulk_roots, lambda: self.roots)
        self.pixels = Pixels(state, scopes)
        self.metafields, self.segments = (kind(state, self.ids, self._at) for kind in (Metafields, Segments))
        more = (self.mutations, self.metafields, self.segments)
        self.roots = Roots(*roots, self.pixels).table | {name: root for one in more for name, root in one.table.items()}
        self.faults = Faults()
        self.app = self._app()

    def _app(self) -> Flask:
        app = Flask("practice shopify")
        install(app, self.faults, lambda status: {"errors": REFUSALS[status]})
        self.desk = Desk(app, self.people, self.add)
        app.add_url_rule("/admin/api/<version>/graphql.json", view_func=self._graphql, methods=["POST"])
        self.admin.add_to(app)
        app.add_url_rule("/bulk/<token>.jsonl", view_func=self._file)
        app.add_url_rule("/uploads/bulk", view_func=self.mutations.upload, methods=["POST"])
        return app

    def _graphql(self, version: str) -> tuple[Response, int]:
        if not re.fullmatch(r"\d{4}-\d{2}|unstable", version):
            abort(404)
        if not self._opens(request.headers.get("X-Shopify-Access-Token", "")):
            return jsonify({"errors": REFUSALS[401]}), 401
        asked = request.get_json(force=True, silent=True)
        if not isinstance(asked, dict) or not isinstance(asked.get("query"), str):
            return jsonify({"errors": {"query": "Required parameter missing or invalid"}}), 400
        response = jsonify(self.engine.answer(asked, self.roots))
        response.headers["X-Shopify-API-Version"] = version
        return response, 200

    def _opens(self, token: str) -> bool:
        """Whether this is the token of the merchant's own app, or one of the installed app's that has not ended."""
        return token == self.access_token or self.admin.tokens.opens(token)

    def uninstall(self) -> None:
        """Let the merchant remove the app: its tokens are dead before it is told, and so are its subscriptions."""
        self.admin.tokens.revoke()
        self.emit("app/uninstalled", payloads.app_uninstalled(self.store))
        self.subscriptions.forget()

    def _file(self, token: str) -> Response:
        """Answer a bulk operation's file, without a token, as the storage behind Shopify does."""
        if (path := self.bulk.file(token)) is None:
            return Response("<Error><Code>ExpiredToken</Code></Error>", 400, mimetype="application/xml")
        size = path.stat().st_size
        asked = RANGE.fullmatch(request.headers.get("Range", "")) if self.bulk.ranges else None
        start = int(asked[1]) if asked else 0
        if start >= size:
            return Response(status=416, headers={"Content-Range": f"bytes */{size}"})
        response = Response(parts(path, start), 206 if asked else 200, mimetype="application/jsonl")
        response.headers["Content-Length"] = str(size - start)
        if asked:
            response.headers["Content-Range"] = f"bytes {start}-{size - 1}/{size}"
        return response

    def add(self, people: Iterable[Mapping[str, Any]]) -> list[str]:
        """Make customers of these (each at least `email`, then any fields of Customer); return their global ids."""
        customers = [self._customer(person) for person in people]
        records.keep_customers(self.state, customers)
        return [payloads.gid("Customer", customer["id"]) for customer in customers]

    def _customer(self, person: Mapping[str, Any]) -> Customer:
        at = self._at()
        blank: Customer = {
            "id": self.ids.new("customer"),
            "email": None,
            "phone": None,
            "first_name": "",
            "last_name": "",
            "created_at": at,
            "updated_at": at,
            "state": "disabled",
            "note": None,
            "locale": "en",
            "tags": [],
            "orders": 0,
            "spent_minor": 0,
            "last_order": None,
            "consent": {"state": "not_subscribed", "level": "single_opt_in", "at": None},
            "address": None,
        }
        if unknown := person.keys() - Customer.__annotations__.keys():
            raise ValueError(f"a customer has no {', '.join(sorted(unknown))}")
        return cast("Customer", {**blank, **person})

    def people(self) -> list[dict[str, Any]]:
        """Return every customer's id, address and tags."""
        return [
            {"id": payloads.gid("Customer", one["id"]), "email": one["email"], "tags": one["tags"]}
            for one in records.customers(self.state)
        ]

    def subscribe(self, topic: str, uri: str) -> None:
        """Subscribe as the app's configuration does: any topic, the compliance topics too; API calls never see it."""
        self.subscriptions.keep(topic, uri, listed=False)

    def emit(self, topic: str, payload: Payload, event_id: str | None = None) -> int:
        """Send a webhook to each subscriber of its topic; return how many. One merchant action has one event id."""
        event = event_id or self.signer.new_id()
        subscribed = self.subscriptions.of(topic)
        for held in subscribed:
            self.sender.send(self._delivery(held, topic, payload, event))
        return len(subscribed)

    def _delivery(self, held: Document, topic: str, payload: Payload, event_id: str) -> Delivery:
        wanted = held["include"]
        body = {name: value for name, value in payload.items() if name in wanted} if wanted else payload
        if topic in WITH_METAFIELDS and (namespaces := held.get("namespaces")):
            told = metafields_told(records.customer(self.state, payload["id"]), namespaces)
            body = {**body, "metafields": told}
        return self.signer.delivery(held["uri"], topic, body, self.now(), event_id, str(held["id"]))

    def drop(self, delivery: Delivery) -> None:
        """Forget a subscription whose address failed to the end, as Shopify does with those made through the API."""
        if delivery.subscription:
            self.subscriptions.delete(int(delivery.subscription))

    def stop(self) -> None:
        self.faults.clear()
        self.bulk.stop()
        self.sender.stop()

    def _bulk_ended(self, operation: Document) -> None:
        self.emit("bulk_operations/finish", finished(operation))

    def _tags_changed(self, customer_id: int, topic: str, tags: list[str]) -> None:
        self.emit(topic, payloads.tags_changed(customer_id, tags, self._at()))

    def _at(self) -> str:
        return text(self.now())
