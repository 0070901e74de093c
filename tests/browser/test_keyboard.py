"""Whoever has no mouse comes everywhere, sees where they are, and is never kept anywhere."""

import pytest
from playwright.sync_api import expect

from tests.browser.visitor import NARROW

SEEN = """() => {
  const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(document.activeElement);
  return (outlineStyle !== "none" && parseFloat(outlineWidth) >= 2) || boxShadow !== "none";
}"""
NAME = "() => document.activeElement.textContent.trim()"


@pytest.fixture
def page(visitor):
    return visitor.open("/segments")


def walk(page, steps):
    """Go on by the Tab key; return what had the focus, each of which must show it."""
    passed = []
    for _ in range(steps):
        page.keyboard.press("Tab")
        passed.append(page.evaluate(NAME))
        assert page.evaluate(SEEN), f"nobody sees that {passed[-1]} has the focus"
    return passed


def test_the_first_key_leads_past_the_navigation_to_the_content(page):
    assert walk(page, 1) == ["Skip to the content"]
    expect(page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


def test_every_section_is_opened_by_keys_alone(page):
    sections = page.get_by_role("navigation", name="Sections").get_by_role("link")
    names = [one.strip() for one in sections.all_text_contents()]
    assert len(names) > 4
    for place, name in enumerate(names):
        page.goto("/segments")  # some pages begin in the field that they are for
        assert walk(page, place + 3)[2:] == names[: place + 1]  # after the way to the content, and our name
        page.keyboard.press("Enter")
        current = page.get_by_role("navigation", name="Sections").locator("[aria-current]")
        expect(current).to_have_text(name)
        expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_the_menu_of_a_phone_opens_by_keys_and_escape_closes_it(page):
    page.set_viewport_size(NARROW)
    menu = page.get_by_role("button", name="Menu")
    sections = page.get_by_role("navigation", name="Sections")
    expect(sections).to_be_hidden()
    assert walk(page, 3)[-1] == "Menu"
    page.keyboard.press("Enter")
    expect(sections).to_be_visible()
    walk(page, 1)
    page.keyboard.press("Escape")
    expect(sections).to_be_hidden()
    expect(menu).to_be_focused()
