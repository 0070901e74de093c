"""Somebody who was forgotten is on no page of the site, and found by nothing that was known of them."""

import pytest

from tests.privacy.world import DOMAIN, YOLANDA, ZEBULON
from tests.web.site import Site, Tenant

PAGES = ("", "/orders", "/timeline", "/card")


@pytest.fixture
def visitor(world):
    return Site(world.engine).visitor(Tenant("one", DOMAIN, shop_id=world.shop_id))


def told(visitor, who):
    """All that the pages of somebody say, casefolded."""
    return " ".join(visitor.page(f"/customers/{who.id}{page}") for page in PAGES).casefold()


def found(visitor, text):
    return visitor.post("/customers", who=text).status_code == 302


def test_nobody_finds_somebody_forgotten_by_anything_that_was_known_of_them(world, visitor):
    for who in (YOLANDA, ZEBULON):
        world.tell_all(who)
    world.work("inbox", "recompute")
    known = ("id", "email", "email_as_typed", "last_name", "name", "order", "phone")
    findable = {one for one in known if found(visitor, getattr(ZEBULON, one))}
    assert {"id", "email", "name", "order"} <= findable
    assert ZEBULON.email in told(visitor, ZEBULON)
    world.forget(ZEBULON)
    assert {one for one in known if found(visitor, getattr(ZEBULON, one))} == set()
    assert {one for one in known if found(visitor, getattr(YOLANDA, one))} == findable
    assert [visitor.get(f"/customers/{ZEBULON.id}{page}").status_code for page in PAGES] == [404] * len(PAGES)
    shown = told(visitor, YOLANDA) + visitor.page("/customers").casefold() + visitor.page("/requests").casefold()
    assert YOLANDA.email in shown
    assert not {one for one in ZEBULON.traces() if one in shown}
