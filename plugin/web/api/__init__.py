"""The REST API: other systems of the merchant's send what they know and ask who is where, with keys of the shop's."""

from __future__ import annotations

from flask import Blueprint, Flask

from plugin.web.api import access, attributes, customers, events, operations, segments

OPERATIONS = (*events.OPERATIONS, *attributes.OPERATIONS, *segments.OPERATIONS, *customers.OPERATIONS)


def install(app: Flask) -> None:
    bp = Blueprint("api", __name__, url_prefix="/api/v1")
    access.install(app, bp)
    operations.add_all(bp, OPERATIONS)
    app.register_blueprint(bp)
