"""What cannot be asked while predictions are held back: the shop's own past has shown that they are no good."""

from __future__ import annotations

from connectors.phrases import phrase
from plugin.models.shops import Shop
from plugin.segments.asking import predictions
from plugin.segments.asking.compiler import leaves
from plugin.segments.asking.quality import LEAST, WHOLE, is_good
from plugin.segments.language.errors import Code, Faults, SegmentErrors
from plugin.segments.language.schema import Field
from plugin.segments.language.tree import Node


def refuse(tree: Node, shop: Shop, faults: Faults) -> None:
    """Note each clause that asks for a prediction, if they were held back at the shop's last midnight."""
    quality = shop.model_quality
    if quality is None or is_good(quality):
        return
    for clause in leaves(tree):
        field = getattr(clause, "field", None)
        if isinstance(field, Field) and field.column in predictions.NAMES:
            faults.add(
                Code.NOT_AVAILABLE,
                phrase("%(field)s is held back: %(why)s", field=field.name, why=reason(quality)),
                clause.span,
            )


def demand(tree: Node, shop: Shop) -> None:
    """SegmentErrors: it asks for what is held back."""
    faults = Faults()
    refuse(tree, shop, faults)
    if faults.errors:
        raise SegmentErrors(faults.errors)


def reason(quality: int) -> str:
    return phrase(
        "tried on what was known 90 days ago, the model hardly told better than chance who has ordered since "
        "(rank quality %(quality)s, and %(least)s is needed). It is tried again each midnight",
        quality=round(quality / WHOLE, 2),
        least=round(LEAST / WHOLE, 2),
    )
