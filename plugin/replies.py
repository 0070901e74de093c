"""What requests with an Idempotency-Key were answered: the same request is answered alike for a day, and done once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, update
from sqlmodel import Session

from plugin import clock
from plugin.db import table, upsert
from plugin.models.access import ApiKey, Reply
from plugin.models.shops import Shop
from plugin.seal import keyed_digest

KEPT = timedelta(hours=24)

replies = table(Reply)

Answer = Mapping[str, Any]


class ReusedError(ValueError):
    """The key was used for another request before."""


def once(session: Session, shop: Shop, key: ApiKey, request_key: str, sent: str, act: Callable[[], Answer]) -> Answer:
    """Do what was asked for, unless it was done under this request's key before; return the answer, then as now.

    `sent` is all that makes the request what it is. ReusedError: the same key came with something else. Two at once
    wait for each other: the second finds what the first was answered.
    """
    now, digest = clock.now(), keyed_digest(shop.redaction_key, f"request:{sent}")
    same = {"shop_id": shop.shop_id, "key_id": key.key_id, "request_key": request_key}
    this = [replies.c[name] == value for name, value in same.items()]
    session.execute(delete(replies).where(*this, replies.c.answered_at <= now - KEPT))
    fresh = same | {"digest": digest, "answered_at": now}
    if not upsert(session, replies, [fresh], change=(), returning=("request_key",)):
        known = session.execute(replies.select().where(*this)).one()
        if known.digest != digest:
            raise ReusedError
        return dict(known.answer)
    answer = act()
    session.execute(update(replies).where(*this).values(answer=dict(answer)))
    return answer


def purge(session: Session, shop_id: str) -> None:
    """Delete what nobody can ask for again."""
    session.execute(delete(replies).where(replies.c.shop_id == shop_id, replies.c.answered_at <= clock.now() - KEPT))
