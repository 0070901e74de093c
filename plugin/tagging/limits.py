"""How much of a segment may change in a day before somebody is asked, and who is told."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parseaddr

from sqlalchemy import update
from sqlmodel import Session, col

from connectors.phrases import phrase
from plugin.models.shops import Shop

MOST_PERCENT = 100
MOST_CONTACTS = 1_000_000
LONGEST_ADDRESS = 254


class LimitsError(ValueError):
    """These limits cannot be had; the text is for the merchant."""


@dataclass(frozen=True)
class Limits:
    """A segment is held where more than `percent` of its members and more than `contacts` would change in a day."""

    percent: int
    contacts: int
    email: str | None


def of(shop: Shop) -> Limits:
    return Limits(shop.guard_percent, shop.guard_contacts, shop.alert_email)


def change(session: Session, shop_id: str, wanted: Limits) -> None:
    """Keep a shop's limits; what is held stays so. LimitsError."""
    if not 0 <= wanted.percent <= MOST_PERCENT:
        raise LimitsError(
            phrase("The share is a whole number from 0 to %(most_percent)s per cent.", most_percent=MOST_PERCENT)
        )
    if not 0 <= wanted.contacts <= MOST_CONTACTS:
        raise LimitsError(
            phrase("The number of contacts is a whole number from 0 to %(most_contacts)s.", most_contacts=MOST_CONTACTS)
        )
    email = (wanted.email or "").strip() or None
    if email and (len(email) > LONGEST_ADDRESS or parseaddr(email)[1] != email or "@" not in email):
        raise LimitsError(phrase("That is no e-mail address."))
    values = {"guard_percent": wanted.percent, "guard_contacts": wanted.contacts, "alert_email": email}
    session.execute(update(Shop).where(col(Shop.shop_id) == shop_id).values(values))
