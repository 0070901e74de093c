"""Kept queries as pages show them: with the present names of the segments to which they refer."""

from __future__ import annotations

from flask import Flask, g

from plugin.db import reading
from plugin.segments import language
from plugin.segments.language import vocabulary
from plugin.web import engine


def install(app: Flask) -> None:
    app.jinja_env.filters["shown"] = shown


def shown(query: str) -> str:
    """Return a query of the visitor's shop as people read it."""
    if "IN SEGMENT" not in query:
        return query
    if "words" not in g:
        with reading(engine()) as session:
            g.words = vocabulary.of(session, g.shop)
    return language.shown(query, g.words)
