"""A browser that is sent to a platform's page of consent, and known again when it comes back: by a signed cookie."""

from __future__ import annotations

import hmac
from datetime import timedelta

from flask import request
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.wrappers import Response

from connectors.errors import SignatureError
from connectors.phrases import phrase
from plugin import clock
from plugin.config import settings

COOKIE = "tagsmith-install"
LIFE = timedelta(minutes=10)


def states() -> URLSafeSerializer:
    """Signs the state with the site's own key, which no platform knows."""
    return URLSafeSerializer(settings().secret_key, salt="install")


def remember(answer: Response, state: str, whom: str, path: str) -> None:
    """Give the browser the state that it has to bring back to `path`, and for whom it set out."""
    answer.set_cookie(
        COOKIE,
        states().dumps([state, whom, clock.now().timestamp()]),
        max_age=LIFE,
        path=path,
        secure=settings().production,
        httponly=True,
        samesite="Lax",
    )


def forget(answer: Response, path: str) -> None:
    answer.delete_cookie(COOKIE, path=path)


def known(state: str, whom: str) -> None:
    """Raise SignatureError unless this browser set out with this state for the same within the last minutes."""
    try:
        kept, about, at = states().loads(request.cookies.get(COOKIE, ""))
    except (BadSignature, TypeError, ValueError):
        raise SignatureError(phrase("this browser did not begin the install, or too long ago")) from None
    same = hmac.compare_digest(str(kept).encode(), state.encode("utf-8", "replace")) and about == whom
    if not same or clock.now().timestamp() - float(at) > LIFE.total_seconds():
        raise SignatureError(phrase("this browser did not begin the install, or too long ago"))
