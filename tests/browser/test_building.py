"""Segments are built as people do it: with a mouse or a keyboard alone, and from what was copied out of Shopify."""

import re

import pytest
from playwright.sync_api import expect

from plugin.segments.kept.templates import TEMPLATES
from tests.browser.hands import WATCH, Keyboard, Mouse

ORDERS, CONSENT = "Number of orders", "E-mail consent"


def condition(hands, name, *what, **values):
    hands.add(name)
    return hands.fill(name, name, *what, **values)


def detail(hands, row, name, *what, there=False, **values):
    """`there`: the row begins with it."""
    if not there:
        hands.add_detail(row, name)
    return hands.fill(row, name, *what, **values)


def have_bought(hands):
    condition(hands, ORDERS)


def abandoned_checkouts(hands):
    condition(hands, "Abandoned checkout")


def never_bought(hands):
    condition(hands, ORDERS, "is", number=0)


def new_buyers(hands):
    condition(hands, ORDERS, "is", number=1)
    condition(hands, "First order")


def new_subscribers(hands):
    condition(hands, ORDERS, "is", number=0)
    condition(hands, "Customer since")
    condition(hands, CONSENT, word="subscribed")


def carts_of_subscribers(hands):
    condition(hands, "Abandoned checkout", days=7)
    condition(hands, CONSENT, word="subscribed")


def champions(hands):
    condition(hands, "RFM group", word="champions")


def without_consent(hands):
    condition(hands, ORDERS)
    condition(hands, CONSENT, "is not", word="subscribed")


def discounted_lately(hands):
    condition(hands, "Placed an order")
    detail(hands, "Placed an order", "Whether anything was taken off")
    detail(hands, "Placed an order", "Day of the order", "is on or after", days=90)


def of_one_type(hands):
    condition(hands, "Bought a product")
    chosen = detail(hands, "Bought a product", "The product's type", first=True)
    detail(hands, "Bought a product", "Number of orders", number=3)
    return {"top_type": chosen}


TEN = {
    "bought_once_or_more": have_bought,
    "abandoned_checkouts": abandoned_checkouts,
    "never_bought": never_bought,
    "first_time": new_buyers,
    "new_subscribers": new_subscribers,
    "cart_abandoners": carts_of_subscribers,
    "champions": champions,
    "not_subscribed": without_consent,
    "discounted_lately": discounted_lately,
    "type_loyalists": of_one_type,
}


@pytest.fixture(params=[Mouse, Keyboard], ids=["mouse", "keyboard"])
def hands(request, visitor):
    visitor.context.add_init_script(WATCH)
    visitor.open("/segments/new")
    return request.param(visitor)


@pytest.mark.parametrize("key", TEN)
def test_a_template_is_built_with_one_hand_alone(hands, key):
    learned = TEN[key](hands) or {}
    page = hands.page
    wanted = r"\s+".join(map(re.escape, TEMPLATES[key].written(learned).split()))
    expect(page.get_by_role("textbox", name="Who belongs to it")).to_have_value(re.compile(f"^{wanted}$"))
    expect(page.get_by_text(re.compile(r"Customers who meet it now: \d+")).last).to_be_visible()
    assert page.evaluate("[...used]") == [hands.alone]
    hands.visitor.inspect()


def test_a_query_out_of_shopify_is_mended_with_one_key(visitor):
    page = visitor.open("/segments/new")
    visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate('navigator.clipboard.writeText("amount_spend > 100 AND number_of_orders >= 2")')
    box = page.get_by_role("textbox", name="Who belongs to it")
    box.focus()
    page.keyboard.press("Control+V")
    expect(page.get_by_role("button", name="Use amount_spent")).to_be_visible()
    visitor.inspect()
    page.keyboard.press("F8")
    expect(box).to_have_value("amount_spent > 100 AND number_of_orders >= 2")
    expect(page.get_by_text(re.compile(r"Customers who meet it now: \d+")).last).to_be_visible()
    page.get_by_label("Name", exact=True).fill("Out of Shopify")
    visitor.click("button", "Save", exact=True)
    expect(page.get_by_role("heading", name="Out of Shopify", level=1)).to_be_visible()


def test_the_dialog_of_names_is_for_everybody(visitor):
    page = visitor.open("/segments/new")
    visitor.click("button", "Add a condition", exact=True)
    expect(page.get_by_role("dialog")).to_be_visible()
    visitor.inspect()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_role("button", name="Add a condition", exact=True)).to_be_focused()
