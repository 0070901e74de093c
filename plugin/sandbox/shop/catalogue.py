"""What the practice shop sells, and how likely each thing is to be picked in each month."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from random import Random

from plugin.sandbox.ids import Ids
from plugin.sandbox.model import Product, Variant, text

from .words import RANGES, SEASONS, Range


def catalogue(chance: Random, ids: Ids, at: datetime) -> list[Product]:
    return [product(chance, ids, goods, name, at) for goods in RANGES for name in goods.names]


def product(chance: Random, ids: Ids, goods: Range, name: str, at: datetime) -> Product:
    low, high = goods.prices
    price = chance.randrange(low, high) // 50 * 50 - 5
    sku = "".join(word[:3].upper() for word in (goods.type, *name.split()))
    return {
        "id": ids.new("product"),
        "title": name,
        "handle": name.lower().replace(" ", "-"),
        "type": goods.type,
        "vendor": chance.choice(goods.vendors),
        "tags": list(goods.tags),
        "season": goods.season,
        "created_at": text(at),
        "variants": [variant(ids, title, sku, place, price) for place, title in enumerate(goods.variants, 1)],
    }


def variant(ids: Ids, title: str, sku: str, place: int, price: int) -> Variant:
    return {"id": ids.new("variant"), "title": title, "sku": f"{sku}-{place}", "price_minor": price}


@dataclass(frozen=True)
class Shelf:
    """The catalogue's variants, with the weights by which customers pick them."""

    goods: tuple[tuple[Product, Variant], ...]
    months: tuple[tuple[float, ...], ...]

    @classmethod
    def of(cls, products: list[Product]) -> Shelf:
        """Some things sell far better than others: the n-th in the list falls off with n."""
        goods = tuple((product, variant) for product in products for variant in product["variants"])
        shuffled = Random(len(goods)).sample(range(len(goods)), len(goods))
        popularity = [1 / (4 + rank) for rank in shuffled]
        months = tuple(
            tuple(
                accumulate(
                    weight * SEASONS[product["season"]][month]
                    for weight, (product, _) in zip(popularity, goods, strict=True)
                )
            )
            for month in range(12)
        )
        return cls(goods, months)

    def pick(self, chance: Random, month: int, count: int) -> list[tuple[Product, Variant]]:
        """Return up to `count` different things. `month` from 1."""
        picked = chance.choices(range(len(self.goods)), cum_weights=self.months[month - 1], k=count)
        return [self.goods[at] for at in dict.fromkeys(picked)]
