"""Pages in parts: htmx is answered with the one part of a page that it asked for, everybody else with all of it."""

from __future__ import annotations

import secrets

from flask import Flask, g, render_template, request


def install(app: Flask) -> None:
    app.jinja_env.globals["nonce"] = nonce


def nonce() -> str:
    """Return what proves, on this page alone, that a script or an element for htmx was written by us."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    return str(g.nonce)


def wanted() -> bool:
    """Whether only a part of a page is asked for."""
    return request.headers.get("HX-Request-Type") == "partial"


def render(page: str, part: str, **values: object) -> str:
    """Return a page, or only the part of it that htmx asks for: a template of its own, which the page includes."""
    return render_template(part if wanted() else page, **values)
