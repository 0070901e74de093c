"""What protects the site: headers on every page, forms that only our pages can send, errors that tell nothing."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping
from types import TracebackType

from flask import Flask, Response, g, render_template, request
from flask_babel import gettext
from flask_wtf.csrf import CSRFProtect
from sqlalchemy.exc import DataError, SQLAlchemyError
from werkzeug.exceptions import BadRequest, HTTPException, InternalServerError
from werkzeug.middleware.proxy_fix import ProxyFix

from plugin.config import Settings
from plugin.web import FOR_MACHINES
from plugin.web.api import problems
from plugin.web.connections import embedded
from plugin.web.page import fragments
from plugin.web.page.frame import Frame

log = logging.getLogger(__name__)

# What a page may do. `{nonce}` is another on each page; markup becomes elements by htmx alone, and that reads it first.
POLICY = {
    "default-src": "'none'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
    "script-src": "'self' 'nonce-{nonce}'",
    "style-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "require-trusted-types-for": "'script'",
    "trusted-types": "htmx",
}
OF_ANY_SCRIPT = ("require-trusted-types-for", "trusted-types")  # what the script of a platform's admin does not keep to
HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
# Error pages in our own words: (title, what to do).
Fault = tuple[str, str]


def install(app: Flask, given: Settings) -> None:
    csrf = CSRFProtect(app)

    @app.before_request
    def protect_forms() -> None:
        """A session token is sent by the page itself, and cannot be had by another's: it proves what our own does.

        Where nothing is, there is nothing to protect, and it is answered so.
        """
        if (
            request.routing_exception is None
            and request.blueprint not in FOR_MACHINES
            and not (g.frame and g.frame.visit)
        ):
            csrf.protect()

    app.after_request(add_headers)
    app.register_error_handler(HTTPException, error_page)
    for beyond in (DataError, OverflowError):
        app.register_error_handler(beyond, unheld)
    app.log_exception = log_exception  # type: ignore[method-assign]  # the text of an error can hold a person
    if given.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=given.proxies, x_proto=given.proxies)  # type: ignore[method-assign]


def add_headers(response: Response) -> Response:
    if request.blueprint in FOR_MACHINES:
        return response  # read by a platform's server or a pixel, thousands of times a minute
    frame: Frame | None = g.get("frame")
    proven = frame and (frame.visit or request.blueprint == embedded.bp.name)
    response.headers.extend(framed(frame) if frame and proven else HEADERS | policy(POLICY))
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"
    return response


def policy(parts: Mapping[str, str]) -> dict[str, str]:
    written = "; ".join(f"{name} {allowed}" for name, allowed in parts.items())
    return {"Content-Security-Policy": written.replace("{nonce}", fragments.nonce())}


def framed(frame: Frame) -> dict[str, str]:
    """Return the headers of a page in a platform's admin: framed by that shop's alone, with the platform's script."""
    own = {
        "frame-ancestors": " ".join(frame.framers),
        "script-src": f"{POLICY['script-src']} {frame.app.script_host}",
    }
    parts = {name: allowed for name, allowed in POLICY.items() if name not in OF_ANY_SCRIPT}
    return {name: value for name, value in HEADERS.items() if name != "X-Frame-Options"} | policy(parts | own)


def faults() -> dict[int, Fault]:
    return {
        400: (gettext("This could not be read"), gettext("Please go back, reload the page and try again.")),
        401: (gettext("Please sign in"), gettext("This page is for those who have signed in.")),
        403: (
            gettext("This is not for your role"),
            gettext("Somebody who is an owner of this shop here can do it, or give you a role that can."),
        ),
        404: (gettext("There is nothing here"), gettext("The address may be mistyped, or what was here is gone.")),
        405: (gettext("Not like this"), gettext("This address answers to other kinds of requests.")),
        409: (gettext("Not now"), gettext("As things are this cannot be done. Please go back and reload the page.")),
        413: (gettext("Too large"), gettext("What was sent is larger than anything that this page takes.")),
        429: (gettext("Too many attempts"), gettext("Please wait a few minutes, then try again.")),
    }


def error_page(error: HTTPException) -> tuple[str, int] | HTTPException | Response:
    """Answer an error with a page of ours."""
    code = error.code or InternalServerError.code
    if code < 400:
        return error
    if request.path.startswith("/api/"):
        return problems.of_http(error)
    if request.blueprint in FOR_MACHINES:
        return error.name, code
    ours = (gettext("Something went wrong"), gettext("It is our fault, and has been noted. Please try again."))
    title, advice = ours if code >= InternalServerError.code else faults().get(code, faults()[400])
    return render_template("errors/error.html", title=title, advice=advice), code


def unheld(_error: DataError | OverflowError) -> tuple[str, int] | HTTPException | Response:
    """Refuse a request with a value that no row can hold: U+0000, which SQLite merely does not find, or a number that
    is too large, of which its driver says that it is an OverflowError."""
    log.warning("a value that the database cannot hold at %s %s", request.method, request.endpoint)
    return error_page(BadRequest())


def log_exception(
    exc_info: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
) -> None:
    """Note an exception by its kind and place. Its message may quote a row, and with it a person."""
    kind, error, trace = exc_info
    cause = error.orig if isinstance(error, SQLAlchemyError) and hasattr(error, "orig") else None
    log.error(
        "%s at %s %s\n%s",
        f"{kind.__name__ if kind else 'error'}{f' ({type(cause).__name__})' if cause else ''}",
        request.method,
        request.endpoint,
        "".join(traceback.format_tb(trace)),
    )
