"""What cannot be undone is done once its name was typed: one rule for whatever is ended, deleted or revoked."""

from __future__ import annotations

from flask import request
from flask_babel import gettext

from plugin.db import fold


def typed(name: str) -> bool:
    """Whether the form names this, in whatever case and with whatever spaces between its words."""
    return plain(request.form.get("name", "")) == plain(name)


def plain(name: str) -> str:
    return fold(" ".join(name.split()))


def wrong() -> str:
    """Return what is said to any other name."""
    return str(gettext("That is not its name. Nothing has been changed."))
