"""How a merchant lets our app into HubSpot: the page of consent, and tokens for the code that comes back from it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from connectors import grants
from connectors.base import OAuth
from connectors.email.hubspot.api import ORIGIN
from connectors.errors import ConfigurationError, PermanentError
from connectors.http import Http
from connectors.installs import Callback, Grant

CONSENT = "https://app.hubspot.com"
OAUTH = OAuth(
    scopes=("oauth", "crm.objects.contacts.read", "crm.lists.read", "crm.lists.write"),
    optional_scopes=("content",),  # the log of e-mail events, which not every plan has
)


def authorization_url(http: Http, app: Mapping[str, str], state: str, redirect_uri: str) -> str:
    asked = {
        "client_id": app["client_id"],
        "redirect_uri": redirect_uri,
        "scope": " ".join(OAUTH.scopes),
        "optional_scope": " ".join(OAUTH.optional_scopes),
        "state": state,
    }
    return f"{http.origin(CONSENT)}/oauth/authorize?{urlencode(asked, quote_via=quote)}"


def exchange(http: Http, app: Mapping[str, str], came: Callback, redirect_uri: str, now: datetime) -> Grant:
    asked = {"grant_type": "authorization_code", "code": came.code, "redirect_uri": redirect_uri}
    return grants.grant("hubspot", ask(http, app, asked), now)


def refresh(http: Http, app: Mapping[str, str], refresh_token: str, now: datetime) -> Grant:
    """Return the grant that follows. ConfigurationError: HubSpot does not take the refresh token."""
    try:
        answer = ask(http, app, {"grant_type": "refresh_token", "refresh_token": refresh_token})
    except (PermanentError, ConfigurationError) as error:
        raise ConfigurationError(f"{error}: reconnect needed, HubSpot does not take the refresh token") from None
    return grants.grant("hubspot", {"refresh_token": refresh_token, **answer}, now)


def ask(http: Http, app: Mapping[str, str], asked: Mapping[str, str]) -> Mapping[str, Any]:
    """Ask for tokens. The app's secret goes in the body, as HubSpot wants it: never into a message."""
    body = http.call("POST", f"{http.origin(ORIGIN)}/oauth/v3/token", {}, form={**app, **asked}).body
    return body if isinstance(body, dict) else {}
