"""Which scopes each of Klaviyo's endpoints asks for (`x-klaviyo-scopes` of its specification)."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from .problems import Problem, RefusedError

SCOPES: Mapping[str, tuple[str, ...]] = {
    "accounts": ("accounts:read",),
    "profiles": ("profiles:read",),
    "profile": ("profiles:read",),
    "profile-import": ("profiles:write",),
    "bulk-import": ("lists:write", "profiles:write"),
    "jobs": ("lists:read", "profiles:read"),
    "job": ("lists:read", "profiles:read"),
    "import-errors": ("profiles:read",),
    "metrics": ("metrics:read",),
    "events": ("events:read",),
    "event": ("events:write",),
    "bulk-events": ("events:write",),
}


def admit(endpoint: str, held: Collection[str] | None) -> None:
    """Let a call pass whose key or token has the scopes; `held` is None for a key that may do everything."""
    if held is not None and not set(SCOPES[endpoint]) <= set(held):
        raise RefusedError(Problem(403, f"This endpoint needs the scopes {', '.join(SCOPES[endpoint])}."))
