"""What a merchant reads before connecting: step by step, what is asked for and why, and what the limits are."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask_babel import gettext

from connectors import registry
from connectors.installs import AppInstall
from plugin.config import settings

bp = Blueprint("docs", __name__)


@bp.get("/docs/shopify")
def shopify() -> str:
    connector = registry()["shopify"]
    assert issubclass(connector, AppInstall)
    return render_template(
        "docs/shopify.html",
        scopes=connector.oauth.scopes,
        optional_scopes=connector.oauth.optional_scopes,
        reasons=reasons(),
        public_url=settings().public_url,
        has_app=bool(settings().app("shopify")),
    )


def reasons() -> dict[str, str]:
    """Return what each of Shopify's scopes is asked for."""
    return {
        "read_customers": gettext("Who the customers are, their consent, their tags and where they live."),
        "write_customers": gettext("To put our tags on customers and take them off again. Nothing else is written."),
        "read_orders": gettext("Orders, refunds, carts and abandoned checkouts: what most segments ask about."),
        "read_products": gettext("Tags, types and vendors of products, for segments about what was bought."),
        "read_all_orders": gettext("Orders older than 60 days. Shopify grants it on request."),
        "read_customer_merge": gettext("To hear of two customers that were merged into one."),
        "write_pixels": gettext("To switch the web pixel on, which tells of products looked at."),
        "read_customer_events": gettext("To hear what the web pixel tells."),
    }
