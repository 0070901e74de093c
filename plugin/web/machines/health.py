"""Whether this process can do its work."""

from __future__ import annotations

import logging

from flask import Blueprint
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from plugin.db import reading
from plugin.web import engine

log = logging.getLogger(__name__)

bp = Blueprint("health", __name__)


@bp.get("/healthz")
def healthz() -> tuple[str, int]:
    """Answer 200 while the database answers, else 503."""
    try:
        with reading(engine()) as session:
            session.execute(text("SELECT 1"))
    except SQLAlchemyError as error:
        log.warning("the database does not answer: %s", type(error).__name__)
        return "the database does not answer", 503
    return "ok", 200
