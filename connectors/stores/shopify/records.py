"""What each of Shopify's webhooks means in our words: the topics that we use (API version 2026-10), their readers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from connectors.payload import Payload
from connectors.phrases import phrase
from connectors.records import (
    Deleted,
    JobFinished,
    Kind,
    Product,
    Record,
    Refetch,
    ScopesChanged,
    ShopRedaction,
    Uninstalled,
)
from connectors.stores.shopify.attributes import attribute
from connectors.stores.shopify.customers import (
    consent,
    customer,
    data_request,
    merged,
    purchasing_summary,
    redaction,
    tags_changed,
)
from connectors.stores.shopify.moments import Reader, moment
from connectors.stores.shopify.nodes import handle
from connectors.stores.shopify.orders import cart, checkout, order
from connectors.stores.shopify.refunds import refund


def product(data: Payload, _: datetime | None) -> Sequence[Record]:
    category = data.object("category")
    return (
        Product(
            product_id=data.required("id", data.id),
            updated_at=data.required("updated_at", data.time),
            title=data.text("title"),
            vendor=data.text("vendor"),
            product_type=data.text("product_type"),
            category=category.text("full_name") or category.text("name") if category else None,
            category_id=handle(category, "admin_graphql_api_id") if category else None,
            tags=tuple(filter(None, (tag.strip() for tag in (data.text("tags") or "").split(",")))),
        ),
    )


def customer_told(data: Payload, _: datetime | None) -> Sequence[Record]:
    """Read a customer, with the metafields that the payload carries: there may be more."""
    found = customer(data)
    fields = (attribute(found.customer_id, each, found.updated_at) for each in data.objects("metafields"))
    return (found, *(one for one in fields if one))


def deleted(kind: Kind) -> Reader:
    def read(data: Payload, at: datetime | None) -> Sequence[Record]:
        return (Deleted(kind, data.required("id", data.id), moment(data, at)),)

    return read


def checkout_deleted(data: Payload, at: datetime | None) -> Sequence[Record]:
    """A checkout is known by its cart; one that had none names nothing that we know."""
    if "cart_token" not in data.data:
        raise data.wrong("cart_token", phrase("is missing"))
    cart_id = data.text("cart_token")
    return (Deleted("cart", cart_id, moment(data, at)),) if cart_id else ()


def order_edited(data: Payload, _: datetime | None) -> Sequence[Record]:
    """An edit names lines and by how many units they changed, not what the order comes to."""
    edit = data.required("order_edit", data.object)
    return (Refetch(edit.required("order_id", edit.id)),)


def job_finished(data: Payload, _: datetime | None) -> Sequence[Record]:
    return (JobFinished(data.required("admin_graphql_api_id", data.text)),)


def scopes_changed(data: Payload, _: datetime | None) -> Sequence[Record]:
    data.required("updated_at", data.time)
    return (ScopesChanged(),)


READERS: Mapping[str, Reader] = {
    **dict.fromkeys(("orders/create", "orders/updated", "orders/paid", "orders/cancelled"), order),
    "orders/edited": order_edited,
    "orders/delete": deleted("order"),
    "refunds/create": lambda data, _: (refund(data),),
    **dict.fromkeys(("products/create", "products/update"), product),
    "products/delete": deleted("product"),
    **dict.fromkeys(
        ("customers/create", "customers/update", "customers/enable", "customers/disable"),
        customer_told,
    ),
    "customers/merge": merged,
    "customers/purchasing_summary": purchasing_summary,
    "customers/delete": deleted("customer"),
    "customers_email_marketing_consent/update": consent("email", "customer_id", "email_marketing_consent"),
    "customers_marketing_consent/update": consent("sms", "id", "sms_marketing_consent"),
    "customer.tags_added": tags_changed("added"),
    "customer.tags_removed": tags_changed("removed"),
    **dict.fromkeys(("carts/create", "carts/update"), cart),
    **dict.fromkeys(("checkouts/create", "checkouts/update"), checkout),
    "checkouts/delete": checkout_deleted,
    "bulk_operations/finish": job_finished,
    "app/scopes_update": scopes_changed,
    "app/uninstalled": lambda _, at: (Uninstalled(at),),
    "customers/data_request": data_request,
    "customers/redact": redaction,
    "shop/redact": lambda _, __: (ShopRedaction(),),
}
