"""Takes the pictures of the README, of the practice shop on always the same day: `make screenshots`."""

import base64
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

from tests.browser import practice
from tests.browser.conftest import FLAGS, chromium
from tests.browser.pages import addresses
from tests.browser.visitor import NARROW, Visitor

FOLDER = Path(__file__).parent / "screenshots"
SIZE = {"width": 1280, "height": 860}
QUALITY = 75  # of WebP: all of them together are a small part of a megabyte
EDITED = "amount_spent >= 200 AND last_order_date < -60d AND email_subscription_status = 'SUBSCRIBED'"
# Name, page, and how it is looked at.
PICTURES = (
    ("home", "home.show", {}),
    ("home-dark", "home.show", {"color_scheme": "dark"}),
    ("segments", "segments.listing", {}),
    ("segment", "segments.show", {}),
    ("editor", "editor.new", {}),
    ("customer", "customers.show", {}),
    ("rehearsal", "rehearsals.everything", {}),
    ("activity", "activity.listing", {}),
    ("phone", "segments.show", {"viewport": NARROW, "color_scheme": "dark"}),
)


def take(visitor, name, path):
    page = visitor.open(path)
    if name == "editor":
        page.get_by_role("textbox", name="Who belongs to it").fill(EDITED)
        page.get_by_role("heading", name="Some of them").wait_for()
    page.wait_for_load_state("networkidle")
    page.mouse.move(0, 0)
    shown = visitor.context.new_cdp_session(page).send("Page.captureScreenshot", {"format": "webp", "quality": QUALITY})
    (FOLDER / f"{name}.webp").write_bytes(base64.b64decode(shown["data"]))


def main():
    FOLDER.mkdir(exist_ok=True)
    with TemporaryDirectory() as made, sync_playwright() as playwright:
        folder = Path(made)
        template = practice.prepared(practice.template(folder))
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        with practice.started(folder / "shop", template) as shop:
            first = Visitor(browser, shop.origin)
            state = first.sign_in(practice.EMAIL, practice.PASSWORD)
            first.leave()
            for name, endpoint, how in PICTURES:
                context = {"viewport": SIZE, "reduced_motion": "reduce", "storage_state": state} | how
                visitor = Visitor(browser, shop.origin, **context)
                take(visitor, name, addresses(endpoint, shop)[0])
                visitor.leave()
                print(FOLDER / f"{name}.webp")
        browser.close()


if __name__ == "__main__":
    sys.exit(main())
