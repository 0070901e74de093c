"""Where somebody goes on who has just come in or connected something."""

from __future__ import annotations

from flask import url_for

from plugin import shops
from plugin.db import reading
from plugin.insight import first_steps
from plugin.web import engine


def onward(shop_id: str, otherwise: str) -> str:
    """Return the address of the first steps as long as they are shown, else of a page."""
    with reading(engine()) as session:
        shown = first_steps.steps_of(session, shops.shop(session, shop_id)).shown
    return url_for("first_steps.show" if shown else otherwise)
