"""A tool that is told, and a shop that tells it, as time passes."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta

import responses

from connectors.records import CustomerRedaction
from plugin import clock, lanes, privacy
from plugin.db import reading
from plugin.outgoing import endpoints, messages
from plugin.worker import work_all

URL = "https://93.184.215.14/tagsmith"


class KilledError(BaseException):
    """As if the process ended."""


class Receiver:
    """A tool behind an address: answers as it is told, and takes what bears a signature by one of its secrets."""

    def __init__(self, secret):
        self.secrets, self.status, self.headers = [secret], 200, {}
        self.taken, self.tries, self.forged, self.kill, self.judge = [], [], 0, None, None

    def answer(self, request):
        if self.kill == "before it is sent":
            raise KilledError
        answer = self.take(request)
        if self.kill:
            raise KilledError
        return answer

    def take(self, request):
        self.tries.append((request.headers["webhook-id"], clock.now()))
        if not self.signed(request):
            self.forged += 1
            return 401, {}, ""
        body = json.loads(request.body)
        status = self.judge(body) if self.judge else self.status
        if 200 <= status < 300:
            self.taken.append((request.headers["webhook-id"], body))
        return status, self.headers, "thanks, all the same"

    def signed(self, request):
        """By the specification's own words: HMAC-SHA256 of id, timestamp and body, by any secret that is known."""
        given = request.headers
        content = f"{given['webhook-id']}.{given['webhook-timestamp']}.".encode() + request.body
        made = {
            "v1," + base64.b64encode(hmac.new(base64.b64decode(one[6:]), content, hashlib.sha256).digest()).decode()
            for one in self.secrets
        }
        return bool(made & set(given["webhook-signature"].split(" ")))

    @property
    def told(self):
        """What it was told, in the order in which it was, of each customer by itself."""
        return [
            (one["type"].partition(".")[2], customer["id"])
            for _, one in self.taken
            for customer in one["data"].get("customers", ())
        ]

    def members(self):
        seen = set()
        for change, customer in self.told:
            (seen.add if change == "entered" else seen.discard)(customer)
        return seen


def add(small, http, url=URL, *segment_ids, **how):
    """Have an address told; return the endpoint's id and its receiver."""
    with small.change() as (session, shop):
        endpoint, secret = endpoints.add(session, shop.shop_id, url, segment_ids, **how)
    receiver = Receiver(secret)
    http.add_callback(responses.POST, url, receiver.answer)
    return endpoint.endpoint_id, receiver


def send(small, hours=0.0):
    """Let time pass and all be done that is due at its end, but no more."""
    small.now += timedelta(hours=hours)
    small.run()
    work_all(small.engine, lambda _, kind: kind.startswith("webhook:"))


def wait(small, hours):
    """Let time pass, and whatever becomes due be done when it does."""
    until = small.now + timedelta(hours=hours)
    while (due := next_due(small)) and due <= until:
        small.now = max(small.now, due)
        work_all(small.engine, lambda _, kind: kind.startswith("webhook:"))
    small.now = until


def next_due(small):
    with reading(small.engine) as session:
        found = lanes.lanes.select().where(lanes.lanes.c.kind.startswith("webhook:"))
        return min((row.due_at for row in session.execute(found) if row.due_at), default=None)


def endpoint_of(small, endpoint_id):
    with reading(small.engine) as session:
        return endpoints.known(session, small.shop_id, endpoint_id)


def rows(small, endpoint_id):
    with reading(small.engine) as session:
        return list(reversed(messages.of(session, small.shop_id, endpoint_id)))


def states(small, endpoint_id):
    return [row.state for row in rows(small, endpoint_id)]


def forget(small, customer):
    with small.change() as (session, shop):
        privacy.redact_customer(session, shop, CustomerRedaction(customer, f"{customer}@example.com", ()))
