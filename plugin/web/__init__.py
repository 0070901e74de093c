"""The site: each module reads a request, calls a service and answers; `engine` is where they find the database."""

from __future__ import annotations

from flask import current_app
from sqlalchemy import Engine

# Blueprints that machines call: they have no session, send no form, and prove who they are by themselves or not at all.
FOR_MACHINES = frozenset({"receive", "pixel", "api", "snippet"})


def engine() -> Engine:
    """Return the database of the app that answers the present request."""
    found: Engine = current_app.extensions["engine"]
    return found
