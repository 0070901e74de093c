"""Customers as Shopify's webhooks tell them. Since 2025 they come without tags, counts and consent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from connectors.payload import Payload
from connectors.phrases import phrase
from connectors.records import (
    UNSET,
    Address,
    Channel,
    Consent,
    Customer,
    CustomerRedaction,
    DataRequest,
    Merged,
    Record,
    Refetch,
    TagsChanged,
)
from connectors.stores.shopify.moments import Reader, moment

CONSENT_STATES = frozenset({"SUBSCRIBED", "NOT_SUBSCRIBED", "PENDING", "INVALID", "UNSUBSCRIBED", "REDACTED"})
ACCOUNT_STATES = frozenset({"DECLINED", "DISABLED", "ENABLED", "INVITED"})
GID = "gid://shopify/Customer/"


def customer(data: Payload, within: datetime | None = None) -> Customer:
    """Return the fields that the payload carries. `within` dates a customer that came without a date of its own."""
    return Customer(
        customer_id=data.required("id", data.id),
        updated_at=data.time("updated_at") or within or data.required("updated_at", data.time),
        created_at=data.time("created_at") or UNSET,
        email=data.carried("email", data.text),
        first_name=data.carried("first_name", data.text),
        last_name=data.carried("last_name", data.text),
        phone=data.carried("phone", data.text),
        language=data.carried("locale", data.text),
        addresses=data.carried("addresses", lambda key: customer_places(data, key)),
        account_status=data.carried("state", lambda key: status(data, key)),
    )


def status(data: Payload, key: str) -> str | None:
    found = (data.text(key) or "").upper()
    return found if found in ACCOUNT_STATES else None


def customer_places(data: Payload, key: str) -> tuple[Address, ...]:
    default = data.object("default_address")
    return places([*([default] if default else []), *data.objects(key)])


def customer_within(data: Payload, at: datetime) -> Customer | None:
    found = data.object("customer")
    return customer(found, at) if found else None


def places(data: Iterable[Payload]) -> tuple[Address, ...]:
    found = dict.fromkeys(map(place, data))
    found.pop(Address(), None)
    return tuple(found)


def place(data: Payload) -> Address:
    country = data.text("country_code")
    return Address(
        country,
        region(country, data.text("province_code")),
        data.text("city"),
        data.text("zip"),
        data.coordinates("latitude", "longitude"),
    )


def region(country: str | None, code: str | None) -> str | None:
    """Return a province's code without its country ("JP-13": Shopify's own codes hold it for some countries)."""
    return code.removeprefix(f"{country}-") if code else None


def consent(channel: Channel, customer_key: str, block: str) -> Reader:
    """Return the reader of a consent topic: they differ in the key of the customer and of the block."""

    def read(data: Payload, at: datetime | None) -> Sequence[Record]:
        found = data.required(block, data.object)
        state = (found.text("state") or "").upper()
        if not state:
            return ()  # nobody has ever decided anything
        if state not in CONSENT_STATES:
            raise found.wrong("state", phrase("is not a state of consent"))
        return (
            Consent(
                channel=channel,
                state=state,
                changed_at=found.time("consent_updated_at") or moment(data, at),
                customer_id=data.required(customer_key, data.id),
                email=data.text("email_address"),
            ),
        )

    return read


def merged(data: Payload, at: datetime | None) -> Sequence[Record]:
    """Read what became of a merge: one that has failed, or is still under way, moves nothing."""
    if data.required("status", data.text) != "success":
        return ()
    kept, gone = (
        data.required(key, lambda key: global_id(data, key, GID))
        for key in ("admin_graphql_api_customer_kept_id", "admin_graphql_api_customer_deleted_id")
    )
    return (Merged(kept, gone, moment(data, at)),) if kept != gone else ()


def purchasing_summary(data: Payload, _: datetime | None) -> Sequence[Record]:
    """Read which order the customer placed last. The counts are Shopify's: ours come from the orders themselves."""
    data.required("customerId", lambda key: global_id(data, key, GID))
    order_id = global_id(data, "lastOrderId", "gid://shopify/Order/")
    return (Refetch(order_id, unless_known=True),) if order_id else ()


def global_id(data: Payload, key: str, prefix: str) -> str | None:
    """Return the number in a global id, as text."""
    found = data.text(key)
    if found is None:
        return None
    number = Payload({key: found.removeprefix(prefix)}, data.path)
    return number.id(key)


def tags_changed(field: str) -> Reader:
    def read(data: Payload, _: datetime | None) -> Sequence[Record]:
        changed_at = data.required("occurredAt", data.time)
        tags = {field: data.texts("tags")}
        return (TagsChanged(data.required("customerId", lambda key: global_id(data, key, GID)), changed_at, **tags),)

    return read


def data_request(data: Payload, _: datetime | None) -> Sequence[Record]:
    request = data.required("data_request", data.object)
    person = data.object("customer")
    return (
        DataRequest(
            request_id=request.required("id", request.id),
            customer_id=person.id("id") if person else None,
            email=person.text("email") if person else None,
        ),
    )


def redaction(data: Payload, _: datetime | None) -> Sequence[Record]:
    person = data.required("customer", data.object)
    return (CustomerRedaction(person.id("id"), person.text("email"), data.ids("orders_to_redact")),)
