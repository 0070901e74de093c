"""The site: each module reads a request, calls a service and answers; `engine` is where they find the database."""

from __future__ import annotations

from flask import current_app
from sqlalchemy import Engine


def engine() -> Engine:
    """Return the database of the app that answers the present request."""
    found: Engine = current_app.extensions["engine"]
    return found
