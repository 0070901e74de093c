"""What is said of one customer: what happened in a sentence each, and what states, channels and scores are called."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from babel import Locale
from flask_babel import get_locale, gettext

from plugin.db import SEPARATOR, unpacked
from plugin.insight.timeline import Happening
from plugin.web.page import wording
from plugin.web.page.languages import day, money

Badge = tuple[str, str]
"""A word and how good it is: good, warning, bad or quiet."""


def channels() -> dict[str, str]:
    return {"email": gettext("E-mail"), "sms": gettext("Text messages")}


def consents() -> dict[str, Badge]:
    """Return what decisions about being written to are called."""
    return {
        "SUBSCRIBED": (gettext("may be written to"), "good"),
        "NOT_SUBSCRIBED": (gettext("never said yes"), "quiet"),
        "PENDING": (gettext("has not confirmed yet"), "warning"),
        "INVALID": (gettext("the address is invalid"), "bad"),
        "UNSUBSCRIBED": (gettext("does not want it"), "bad"),
        "REDACTED": (gettext("was forgotten"), "quiet"),
    }


def orders() -> dict[str, Badge]:
    """Return what became of orders that do not simply count."""
    return {
        "cancelled": (gettext("cancelled"), "bad"),
        "refunded": (gettext("refunded"), "bad"),
        "partly refunded": (gettext("refunded in part"), "warning"),
        "unpaid": (gettext("not paid yet"), "warning"),
        "test": (gettext("a test, does not count"), "quiet"),
        "left out": (gettext("does not count"), "quiet"),
    }


def tags() -> dict[str, Badge]:
    """Return how a tag on one platform stands."""
    return {
        "confirmed": (gettext("ours, on it"), "good"),
        "intended": (gettext("ours, being put on"), "warning"),
        "removing": (gettext("ours, being taken off"), "warning"),
        "planned": (gettext("planned"), "quiet"),
        "to put on": (gettext("will be put on"), "warning"),
        "to take off": (gettext("ours, will be taken off"), "warning"),
        "rehearsal": (gettext("in rehearsal: not written yet"), "quiet"),
        "held": (gettext("held: nothing is written"), "warning"),
        "foreign": (gettext("of others: left alone"), "quiet"),
        "taken": (gettext("ours, somebody took it off"), "bad"),
        "lost": (gettext("ours, and was not there when looked"), "bad"),
        "back": (gettext("taken off by us, and there again"), "bad"),
    }


def known() -> dict[str, str]:
    """Return whether somebody is on a platform."""
    return {
        "nameless": gettext("Without an e-mail address nobody can be found there."),
        "unseen": gettext("Not looked up there yet."),
        "missing": gettext("Not on the platform: nobody is ever added there."),
        "there": gettext("On the platform."),
    }


def queues() -> dict[str, Badge]:
    return {
        "waiting": (gettext("waiting to be written"), "quiet"),
        "sent": (gettext("being written"), "quiet"),
        "missing": (gettext("not found there"), "quiet"),
        "failed": (gettext("refused"), "bad"),
    }


def groups() -> dict[str, str]:
    """Return what the groups by recency, frequency and amount are called."""
    return {
        "PROSPECTS": gettext("has not ordered"),
        "NEW": gettext("new"),
        "ACTIVE": gettext("active"),
        "CHAMPIONS": gettext("among the best"),
        "PROMISING": gettext("promising"),
        "LOYAL": gettext("loyal"),
        "ALMOST_LOST": gettext("almost lost"),
        "NEEDS_ATTENTION": gettext("needs attention"),
        "DORMANT": gettext("dormant"),
        "AT_RISK": gettext("at risk"),
        "PREVIOUSLY_LOYAL": gettext("was loyal"),
    }


def countries(codes: Sequence[str] | None) -> list[str]:
    """Return what countries are called in the reader's language."""
    names = (get_locale() or Locale("en")).territories
    return [str(names.get(code.upper(), code.upper())) for code in codes or ()]


def language(code: str) -> str:
    """Return what a language is called in the reader's."""
    locale = get_locale() or Locale("en")
    return str(locale.languages.get(code.replace("_", "-").partition("-")[0].lower(), code))


def value(kept: str, of_kind: str = "") -> str:
    """Return how the value of an attribute is shown."""
    if of_kind == "date":
        return day(date.fromisoformat(kept))
    if of_kind == "boolean":
        return str(gettext("yes") if kept == "true" else gettext("no"))
    return ", ".join(unpacked(kept)) if SEPARATOR in kept else kept


def kind(happening: Happening) -> str:
    """Return of which kind something that happened is."""
    word = happening.kind.partition(" ")[0].partition(".")[0]
    kinds = {
        **dict.fromkeys(("order", "cancelled", "refund", "cart"), gettext("order")),
        **dict.fromkeys(("entered", "left", "pinned"), gettext("segment")),
        **dict.fromkeys(("tag", "ledger"), gettext("tag")),
        **dict.fromkeys(("email", "shopify_email"), gettext("e-mail")),
        "consent": gettext("consent"),
        "attribute": gettext("attribute"),
    }
    return str(kinds.get(word, gettext("on the site")))


def told(one: Happening) -> str:
    """Return what happened in one sentence."""
    what, more = one.what or gettext("without a name"), one.more or ""
    amount = getattr(one.row, "amount_minor", None)
    given: dict[str, Any] = {"what": what, "more": more, "amount": money(amount or 0)}
    if one.kind == "consent":
        given |= {"what": channels().get(what, what), "more": consents().get(more, (more, ""))[0]}
    if one.kind == "attribute":
        given["more"] = value(more, one.row.kind)
    if one.kind in ("entered", "left"):
        given["more"] = wording.causes().get(more, more)
    known = sentences(has_amount=amount is not None, has_more=bool(one.more))
    return str(known[one.kind] % given) if one.kind in known else what


def sentences(*, has_amount: bool, has_more: bool) -> dict[str, str]:
    """Return the sentence of each kind, with or without an amount or a second word."""
    return {
        "order": gettext("Order %(what)s, %(amount)s") if has_amount else gettext("Order %(what)s"),
        "cancelled": gettext("Order %(what)s was cancelled"),
        "refund": gettext("%(amount)s given back on order %(what)s"),
        "cart": gettext("Left a cart behind, %(amount)s") if has_amount else gettext("Left a cart behind"),
        "consent": gettext("%(what)s: %(more)s"),
        "tag on": gettext("The store put on its tag %(what)s"),
        "tag off": gettext("The store took off its tag %(what)s"),
        "entered": gettext("Entered %(what)s: %(more)s"),
        "left": gettext("Left %(what)s: %(more)s"),
        "pinned in": gettext("Pinned: always in %(what)s"),
        "pinned out": gettext("Pinned: never in %(what)s"),
        "attribute": gettext("%(what)s became %(more)s") if has_more else gettext("%(what)s is not known any more"),
        "ledger confirmed": gettext("%(more)s: our tag %(what)s is on"),
        "ledger removed": gettext("%(more)s: our tag %(what)s was taken off"),
        "ledger foreign": gettext("%(more)s: %(what)s is there, and is not ours"),
        "ledger taken": gettext("%(more)s: somebody took off our tag %(what)s"),
        "product_viewed": gettext("Looked at %(what)s"),
        "collection_viewed": gettext("Looked at a collection"),
        "page_viewed": gettext("Opened the page %(what)s"),
        "searched": gettext("Searched for %(what)s"),
        "form_submitted": gettext("Sent the form %(what)s"),
        "link_clicked": gettext("Followed the link %(what)s"),
        "call_received": gettext("Called"),
        "survey_answered": gettext("Survey %(what)s: %(more)s")
        if has_more
        else gettext("Answered the survey %(what)s"),
        **{f"{sender}.{what}": text for what, text in e_mails().items() for sender in ("email", "shopify_email")},
    }


def e_mails() -> dict[str, str]:
    return {
        "delivered": gettext("E-mail delivered: %(what)s"),
        "opened": gettext("E-mail opened: %(what)s"),
        "clicked": gettext("Link in an e-mail followed: %(what)s"),
        "bounced": gettext("E-mail came back: %(what)s"),
        "marked_as_spam": gettext("E-mail called spam: %(what)s"),
        "unsubscribed": gettext("Unsubscribed by an e-mail: %(what)s"),
    }
