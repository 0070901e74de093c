"""What there is to read: how a store is connected, what is asked for and why; the API; and the language of segments."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, render_template, url_for
from flask_babel import gettext

from connectors import registry
from connectors.installs import AppInstall
from plugin.config import settings
from plugin.db import reading
from plugin.events.shapes import CARRIED, SCALES
from plugin.outgoing.cutting import MOST_CUSTOMERS
from plugin.segments.kept.templates import TEMPLATES
from plugin.segments.language import reference, vocabulary
from plugin.segments.language.vocabulary import WHOLE_TABLE, Vocabulary
from plugin.web import api as api_parts
from plugin.web import engine, examples
from plugin.web.api import openapi
from plugin.web.api.access import MOST
from plugin.web.api.problems import TITLES

bp = Blueprint("docs", __name__)


@bp.app_template_global()
def listed(anchor: str, title: str) -> str:
    """Return a heading, which is then in the table of contents."""
    g.setdefault("contents", []).append((anchor, title))
    return title


@bp.app_template_global()
def contents() -> list[tuple[str, str]]:
    """Return the headings of the page that is made, each with its anchor."""
    found: list[tuple[str, str]] = g.get("contents", [])
    return found


@bp.get("/docs")
def index() -> str:
    return render_template("docs/index.html", guides=guides())


def guides() -> list[tuple[str, str, str]]:
    """Return what there is to read: where, how it is called, and what it is about."""
    return [
        (
            "docs.shopify",
            gettext("Connect a Shopify store"),
            gettext("With an app or without, what is asked for and why, and how to remove it again."),
        ),
        (
            "docs.segments",
            gettext("What segments can ask"),
            gettext("The language, name by name: what each asks, with its operators, values and parameters."),
        ),
        (
            "docs.snippet",
            gettext("The snippet for your pages"),
            gettext("What customers look at, from a shop whose platform has no pixel, once they have agreed to it."),
        ),
        (
            "docs.api",
            gettext("Send events, read segments"),
            gettext("For a call centre, a survey tool or a CRM: events and attributes in, segments and members out."),
        ),
        (
            "docs.webhooks",
            gettext("Receive webhooks"),
            gettext("For any tool that can be called: who enters a segment and who leaves it, signed and in order."),
        ),
    ]


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


@bp.get("/docs/api")
def api() -> str:
    return render_template(
        "docs/api.html",
        examples=examples.api(settings().public_url),
        kinds=CARRIED,
        problems=TITLES,
        most=MOST,
        scales=SCALES,
    )


@bp.get("/api/openapi.json")
def described() -> dict[str, Any]:
    """The API as programs read it."""
    return openapi.document(api_parts.OPERATIONS, settings().public_url)


@bp.get("/docs/webhooks")
def webhooks() -> str:
    return render_template("docs/webhooks.html", examples={"webhook": examples.WEBHOOK}, most=MOST_CUSTOMERS)


@bp.get("/docs/snippet")
def snippet() -> str:
    shown, platforms = examples.pages(settings().public_url)
    days = settings().site_event_retention_days
    return render_template("docs/snippet.html", examples=shown, platforms=platforms, days=days)


@bp.get("/docs/segments")
def segments() -> str:
    """The language, from its table; of a shop that has signed in with what that shop has."""
    return render_template("docs/segments.html", families=reference.families(words()), titles=titles())


@bp.get("/docs/segments.json")
def names() -> dict[str, Any]:
    """What a query may use, as the editor offers it; to a shop also what it may begin with."""
    told = reference.completions(words())
    if g.get("shop") is None:
        return told
    begin = [{"text": one.name, "detail": one.purpose, "href": of_template(one.key)} for one in TEMPLATES.values()]
    return told | {"templates": begin}


def of_template(key: str) -> str:
    return url_for("editor.new", template=key)


def words() -> Vocabulary:
    if g.get("shop") is None:
        return WHOLE_TABLE
    with reading(engine()) as session:
        return vocabulary.of(session, g.shop)


def titles() -> dict[str, str]:
    """Return what each family of names is called."""
    return {
        "orders": gettext("Orders and amounts"),
        "customers": gettext("The customer's record"),
        "consent": gettext("Consent"),
        "demographic": gettext("Who they are"),
        "geographic": gettext("Where they live"),
        "psychographic": gettext("What they care for"),
        "technographic": gettext("What they shop with"),
        "behavioural": gettext("What they do"),
        "needs": gettext("What they need"),
        "value": gettext("What they are worth"),
        "voice": gettext("What they say"),
        "more": gettext("More"),
        "own": gettext("Fields of your own"),
    }


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
        "read_store_credit_accounts": gettext("How much store credit customers have."),
        "read_store_credit_account_transactions": gettext("When store credit was granted, and when it expires."),
        "read_own_subscription_contracts": gettext("Whether customers subscribe to products."),
    }
