"""What may happen in a shop next: each happening takes the teller of the story and returns the records it makes."""

from collections.abc import Callable

from connectors.records import Record
from tests.story.asked import credited, stood
from tests.story.carts import bought, emptied, filled, touched
from tests.story.orders import placed, revised, struck
from tests.story.people import closed, decided, described, did, edited, noted, opened, rated, tagged, viewed
from tests.story.teller import Story

HAPPENINGS: tuple[Callable[[Story], list[Record]], ...] = (
    *[placed] * 7,
    *[opened] * 4,
    *[revised] * 5,
    *[filled] * 2,
    *[decided, tagged, described, touched, rated, viewed, did] * 2,
    *[noted] * 4,
    *[stood, credited, credited],
    *[edited, closed, struck, bought, emptied],
)
