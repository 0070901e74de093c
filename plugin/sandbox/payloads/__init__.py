"""What Shopify's webhooks carry, topic by topic, in the shapes of API 2026-07 and 2026-10."""

from .goods import cart, checkout, product
from .orders import edited, order, refund
from .parts import Payload, gid, money
from .people import (
    consent,
    customer,
    customer_deleted,
    customer_redact,
    data_request,
    merged,
    purchasing_summary,
    tags_changed,
)
from .store import app_uninstalled, scopes_updated, shop_redact

__all__ = [
    "Payload",
    "app_uninstalled",
    "cart",
    "checkout",
    "consent",
    "customer",
    "customer_deleted",
    "customer_redact",
    "data_request",
    "edited",
    "gid",
    "merged",
    "money",
    "order",
    "product",
    "purchasing_summary",
    "refund",
    "scopes_updated",
    "shop_redact",
    "tags_changed",
]
