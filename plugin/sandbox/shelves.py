"""Where the practice shop keeps its goods, and where it sells them: categories, collections, apps and places."""

from __future__ import annotations

from dataclasses import dataclass

from plugin.sandbox.model import Order, Product


@dataclass(frozen=True)
class Category:
    """A place in the tree of all goods. Ids are made up, and are no numbers: nor are Shopify's."""

    id: str
    full_name: str

    @property
    def name(self) -> str:
        return self.full_name.rpartition(" > ")[2]


CATEGORIES = {  # by the type of a product
    "Candles": Category("hg-1-1", "Home & Garden > Decor > Candles"),
    "Mugs": Category("hg-2-1", "Home & Garden > Kitchen & Dining > Mugs"),
    "Blankets": Category("hg-3-1", "Home & Garden > Linens & Bedding > Blankets"),
    "Notebooks": Category("os-1-1", "Office Supplies > Paper Products > Notebooks"),
    "Tea": Category("fb-1-1", "Food, Beverages & Tobacco > Beverages > Tea"),
    "Kitchen": Category("hg-2", "Home & Garden > Kitchen & Dining"),
    "Toys": Category("tg-1", "Toys & Games > Toys"),
    "Garden": Category("hg-4", "Home & Garden > Lawn & Garden"),
}
COLLECTIONS = {  # goods with a tag make a collection: its id and name
    "gift": (9_117_000_000_000_000_001, "Gifts"),
    "home": (9_117_000_000_000_000_002, "Home"),
    "kitchen": (9_117_000_000_000_000_003, "Kitchen"),
    "outdoor": (9_117_000_000_000_000_004, "Outdoors"),
    "christmas": (9_117_000_000_000_000_005, "Christmas"),
}
APPS = {"web": (580_111, "Online Store"), "pos": (129_785, "Point of Sale")}  # by the source of an order
COUNTER = 9_118_000_000_000_000_001


def category(product: Product) -> Category | None:
    """Return a product's category; some goods were never given one."""
    return CATEGORIES.get(product["type"])


def collections(product: Product) -> list[tuple[int, str]]:
    return [COLLECTIONS[tag] for tag in product["tags"] if tag in COLLECTIONS]


def app(order: Order) -> tuple[int, str] | None:
    """Return the id and the name of the app that an order was placed with."""
    return APPS.get(order["source"])


def location(order: Order) -> int | None:
    """Return where an order was placed, if it was over the counter."""
    return COUNTER if order["source"] == "pos" else None
