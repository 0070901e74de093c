"""How a merchant lets our app into Klaviyo: the page of consent, the way back with a code, and the tokens.

https://developers.klaviyo.com/en/docs/set_up_oauth. Klaviyo wants a proof key (RFC 7636) and signs nothing: that it is
this merchant who comes back is proved by the state, which is for the app to compare.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from connectors import grants
from connectors.base import OAuth
from connectors.email.klaviyo.api import ORIGIN
from connectors.errors import ConfigurationError, PermanentError
from connectors.http import Http
from connectors.installs import Callback, Grant

CONSENT = "https://www.klaviyo.com"
# A bulk import may put profiles on a list, and so asks for the scopes of lists; ours never does.
READING = ("accounts:read", "profiles:read", "lists:read", "events:read", "metrics:read")
WRITING = ("profiles:write", "lists:write")
EVENTS = "events:write"
OAUTH = OAuth(scopes=(*READING, *WRITING), optional_scopes=(EVENTS,))


def authorization_url(http: Http, app: Mapping[str, str], state: str, redirect_uri: str) -> str:
    asked = {
        "response_type": "code",
        "client_id": app["client_id"],
        "redirect_uri": redirect_uri,
        "scope": " ".join((*OAUTH.scopes, *OAUTH.optional_scopes)),
        "state": state,
        "code_challenge": challenge(verifier(app["client_secret"], state)),
        "code_challenge_method": "S256",
    }
    return f"{http.origin(CONSENT)}/oauth/authorize?{urlencode(asked, quote_via=quote)}"


def verifier(secret: str, state: str) -> str:
    """Return the proof key of one consent: nobody can make it who has not our secret, and nothing has to be kept."""
    return unpadded(hmac.new(secret.encode(), f"klaviyo {state}".encode(), hashlib.sha256).digest())


def challenge(key: str) -> str:
    return unpadded(hashlib.sha256(key.encode()).digest())


def unpadded(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def exchange(http: Http, app: Mapping[str, str], came: Callback, redirect_uri: str, now: datetime) -> Grant:
    asked = {
        "grant_type": "authorization_code",
        "code": came.code,
        "redirect_uri": redirect_uri,
        "code_verifier": verifier(app["client_secret"], came.state),
    }
    return grants.grant("klaviyo", ask(http, app, asked), now)


def refresh(http: Http, app: Mapping[str, str], refresh_token: str, now: datetime) -> Grant:
    """Return the grant that follows. ConfigurationError: Klaviyo does not take the refresh token."""
    try:
        answer = ask(http, app, {"grant_type": "refresh_token", "refresh_token": refresh_token})
    except (PermanentError, ConfigurationError) as error:
        raise ConfigurationError(f"{error}: reconnect needed, Klaviyo does not take the refresh token") from None
    return grants.grant("klaviyo", {"refresh_token": refresh_token, **answer}, now)


def ask(http: Http, app: Mapping[str, str], asked: Mapping[str, str]) -> Mapping[str, Any]:
    pair = base64.b64encode(f"{app['client_id']}:{app['client_secret']}".encode()).decode()
    headers = {"Authorization": f"Basic {pair}", "Accept": "application/json"}
    body = http.call("POST", f"{http.origin(ORIGIN)}/oauth/token", headers, form=asked).body
    return body if isinstance(body, dict) else {}
