"""The REST API: other systems of the merchant's send what they know, each with a key of the shop's."""

from __future__ import annotations

from flask import Blueprint, Flask

from plugin.web.api import access, attributes, events


def install(app: Flask) -> None:
    bp = Blueprint("api", __name__, url_prefix="/api/v1")
    access.install(app, bp)
    events.add(bp)
    attributes.add(bp)
    app.register_blueprint(bp)
