"""Our pages inside Shopify's admin: signed in by a session token alone, with App Bridge and nothing else of others."""

import pytest
from playwright.sync_api import expect

from tests.browser.admin import ADMIN, BRIDGE, Admin
from tests.browser.visitor import Visitor


@pytest.fixture
def stranger(browser, shop):
    """Somebody who has never signed in, and has no cookie of ours."""
    made = Visitor(browser, shop.origin)
    yield made
    made.leave()


def test_members_of_a_segment_are_frozen_without_a_cookie(stranger, shop):
    asked = []
    stranger.context.on("request", lambda one: asked.append(one.url))
    admin = Admin(stranger, shop.offset)
    frame = admin.open()
    admin.go("Segments")
    frame.get_by_role("link", name="Champions", exact=True).click()
    expect(frame.get_by_role("heading", name="Champions", level=1)).to_be_visible()
    stranger.inspect(frame)
    frame.get_by_role("navigation", name="About this segment").get_by_role("link", name="Members", exact=True).click()
    frame.get_by_label("Name of the snapshot").fill("From the admin")
    frame.get_by_role("button", name="Take a snapshot").click()
    expect(frame.get_by_role("cell", name="From the admin", exact=True)).to_be_visible()
    expect(frame.locator("[data-toast]")).to_have_count(0)  # they become toasts once all of the page has arrived
    assert [text for text in admin.said if "frozen" in text]
    assert stranger.context.cookies() == []
    others = {url for url in asked if not url.startswith((shop.origin, f"{ADMIN}/"))}
    assert others == {BRIDGE}
