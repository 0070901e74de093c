"""What a merchant has granted but not yet said for which of their accounts: sealed for their shop, in their browser.

Nothing is saved before a connection is proved, and which account it is for comes a page later than the token.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import request
from werkzeug.wrappers import Response

from connectors.errors import SignatureError
from connectors.installs import Grant
from connectors.phrases import phrase
from plugin import clock
from plugin.config import settings
from plugin.seal import SealError, seal, unseal

COOKIE = "tagsmith-granted"
LIFE = timedelta(minutes=10)
UNTIL = "held_until"


def hold(answer: Response, shop_id: str, grant: Grant, path: str) -> None:
    """Let the browser bring a grant to `path`, where the merchant chooses."""
    until = (clock.now() + LIFE).isoformat()
    sealed = seal(shop_id, {**grant.credentials, UNTIL: until})
    answer.set_cookie(
        COOKIE,
        sealed,
        max_age=LIFE,
        path=path,
        secure=settings().production,
        httponly=True,
        samesite="Lax",
    )


def held(shop_id: str) -> dict[str, str]:
    """Return the credentials that this browser was granted for a shop. SignatureError: none, or too long ago."""
    try:
        kept = unseal(shop_id, request.cookies.get(COOKIE, ""))
    except SealError:
        raise SignatureError(phrase("this browser was granted nothing, or too long ago")) from None
    if clock.now() >= datetime.fromisoformat(kept.pop(UNTIL)):
        raise SignatureError(phrase("this browser was granted nothing, or too long ago"))
    return kept


def let_go(answer: Response, path: str) -> None:
    answer.delete_cookie(COOKIE, path=path)
