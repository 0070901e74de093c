"""Our web pixel on a shop's pages: its extension comes with the app, and each shop has it switched on once."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.errors import PermanentError
from connectors.payload import Payload
from connectors.phrases import phrase
from connectors.stores.shopify.graphql import Admin, why

CREATE = """mutation CreatePixel($settings: JSON!) {
  webPixelCreate(webPixel: {settings: $settings}) { webPixel { id } userErrors { code field message } }
}"""
UPDATE = """mutation UpdatePixel($id: ID!, $settings: JSON!) {
  webPixelUpdate(id: $id, webPixel: {settings: $settings}) { webPixel { id } userErrors { code field message } }
}"""
PLACED = "query PlacedPixel { webPixel { id } }"


def place(admin: Admin, settings: Mapping[str, str]) -> str:
    """Switch the pixel on; where it is on already, give it these settings."""
    data = admin.ask(CREATE, {"settings": settings}).data
    made = data.required("webPixelCreate", data.object)
    if any(error.text("code") == "TAKEN" for error in made.objects("userErrors")):
        placed = admin.ask(PLACED, {}).data
        pixel = placed.required("webPixel", placed.object)
        data = admin.ask(UPDATE, {"id": pixel.required("id", pixel.text), "settings": settings}).data
        made = data.required("webPixelUpdate", data.object)
    return id_of(made)


def id_of(made: Payload) -> str:
    for error in made.objects("userErrors"):
        raise PermanentError(phrase("shopify: no pixel: %(message)s", message=why(error)))
    pixel = made.required("webPixel", made.object)
    return pixel.required("id", pixel.text)
