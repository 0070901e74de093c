"""The app: `create_app()` puts the site's parts together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from flask import Flask
from sqlalchemy import Engine

from plugin import db
from plugin.config import ROOT, Settings, settings
from plugin.web import api, design, docs, first_steps, home, preferences, protection
from plugin.web.access import accounts, keys, people
from plugin.web.connections import activity, consents, deliveries, embedded, installs, platforms, safety, webhooks
from plugin.web.customers import attribute_files, attributes, found, pins, requests
from plugin.web.editor import builder, drafts, form, gallery, ladders, portable
from plugin.web.machines import health, pixel, receive, snippet
from plugin.web.page import compression, fragments, frame, languages, navigation, pictures, statics
from plugin.web.segments import (
    clauses,
    compared,
    conflicts,
    decisions,
    edits,
    members,
    over_time,
    overview,
    queries,
    rehearsals,
    removals,
    reviews,
    snapshots,
    trials,
)

FORM_BYTES = 256_000  # the longest query, percent-encoded, and room for the rest
PAGES = (
    home,
    clauses,
    members,
    decisions,
    attribute_files,
    attributes,
    found,
    gallery,
    drafts,
    over_time,
    compared,
    conflicts,
    ladders,
    pins,
    removals,
    overview,
    form,
    builder,
    edits,
    reviews,
    snapshots,
    trials,
    portable,
    rehearsals,
    safety,
    activity,
    deliveries,
    platforms,
    keys,
    webhooks,
    preferences,
    people,
    languages,
    requests,
    docs,
    first_steps,
    design,
    embedded,
    installs,
    consents,
)


def create_app(engine: Engine | None = None, practice_origins: Mapping[str, str] | None = None) -> Flask:
    """Return the site over `engine` (default: the database that the settings name).

    `practice_origins` are where the stand-ins of platforms are, for installs that are tried out.
    """
    given = settings()
    database = engine or db.connect(given.database_url)
    app = Flask("plugin.web", template_folder=str(ROOT / "templates"))
    app.config.update(configuration(given))
    app.extensions["engine"] = database
    app.extensions["practice_origins"] = dict(practice_origins or {})
    attribute_files.install(app)
    compression.install(app)
    statics.install(app)
    frame.install(app)
    protection.install(app, given)
    languages.install(app)
    fragments.install(app)
    navigation.install(app)
    pictures.install(app)
    queries.install(app)
    accounts.install(app)
    receive.install(app, database)
    pixel.install(app)
    api.install(app)
    snippet.install(app)
    app.register_blueprint(health.bp)
    for page in PAGES:
        app.register_blueprint(page.bp)
    return app


def configuration(given: Settings) -> dict[str, object]:
    return {
        "SECRET_KEY": given.secret_key,
        "MAX_CONTENT_LENGTH": FORM_BYTES,
        "PERMANENT_SESSION_LIFETIME": timedelta(days=7),
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_NAME": "__Host-tagsmith" if given.production else "tagsmith",
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": given.production,
        "WTF_CSRF_CHECK_DEFAULT": False,  # `protection` does, for all but what a session token proves
        "WTF_CSRF_TIME_LIMIT": None,  # as long as the session
    }
