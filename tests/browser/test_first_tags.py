"""From nothing to the first tags: what a merchant does who installs the app in a store, counted."""

import re
import sqlite3

import pytest
from playwright.sync_api import expect

from tests.browser import practice
from tests.browser.visitor import Visitor

MOST_CLICKS = 12
SECRETS = {"password"}
# What a hand does in any page on the way, ours or a platform's; what it types, by the kind of field.
COUNT = """
addEventListener("pointerdown", ({ isTrusted, target }) => isTrusted && clicked(target.textContent.slice(0, 40)), true);
addEventListener("keydown", ({ isTrusted, target }) => isTrusted && typed(target.type ?? target.tagName), true);
"""


@pytest.fixture
def bare(browser, tmp_path):
    """A practice shop in which nothing is connected yet, and where its install begins."""
    folder = tmp_path / "bare"
    folder.mkdir()
    practice.set_clock(folder)
    with practice.served(folder, "--bare", customers=80) as origin:
        yield practice.Running(origin, folder, {})


@pytest.fixture
def merchant(browser, bare):
    made = Visitor(browser, bare.origin, also=practice.platforms(bare.folder))
    made.clicks, made.typed = [], set()
    made.context.expose_binding("clicked", lambda _, on: made.clicks.append(on))
    made.context.expose_binding("typed", lambda _, into: made.typed.add(into))
    made.context.add_init_script(COUNT)
    yield made
    made.leave()


def tags_in_the_store(folder):
    """Return every tag of ours that customers carry in the store, as the stand-in keeps them."""
    with sqlite3.connect(f"file:{folder}/practice/practice.sqlite?mode=ro", uri=True) as store:
        bodies = [body for (body,) in store.execute("SELECT body FROM documents WHERE kind = 'customer'")]
    return {tag for body in bodies for tag in re.findall(r'"(seg:[^"]+)"', body)}


def test_a_merchant_comes_from_the_install_to_tags_in_twelve_clicks(bare, merchant):
    page = merchant.open(f"/install/shopify?shop={practice.DOMAIN}")
    merchant.click("button", "Install")
    for label in ("New password", "The same again"):
        page.get_by_label(label).click()
        page.keyboard.type(practice.PASSWORD)
    merchant.click("button", "Set the password")
    merchant.click("button", re.compile("^Take all "))
    merchant.click("link", "Klaviyo")
    merchant.click("button", "Allow")
    merchant.click("link", "Rehearse")
    merchant.click("button", "Go with everything above")
    expect(page.get_by_text("The tags are out.")).to_be_visible(timeout=120_000)
    assert len(tags_in_the_store(bare.folder)) >= 3
    assert len(merchant.clicks) <= MOST_CLICKS, merchant.clicks
    assert merchant.typed <= SECRETS
