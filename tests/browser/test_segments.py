"""What is done with a segment once it is there: held and released, downloaded, explained, pinned, and rolled back."""

import csv
import re

import pytest
from playwright.sync_api import expect

from tests.browser import practice
from tests.loop.installation import wait

TAG = "seg:held-by-the-guard"
OLD = "customer_added_date < 2026-06-01"  # whatever happens in the shop, its members stay the same


@pytest.fixture
def page(visitor):
    return visitor.page


def keep(visitor, name, query):
    """Make a segment as anybody does, and stand on its page once it has been computed."""
    page = visitor.open("/segments/new")
    page.get_by_role("textbox", name="Who belongs to it").fill(query)
    page.get_by_label("Name", exact=True).fill(name)
    visitor.click("button", "Save", exact=True)
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
    visitor.until(page.get_by_text("Not computed yet"), visible=False)


def members(shop, name):
    inside = "SELECT customer_id FROM memberships JOIN segments USING (shop_id, segment_id) WHERE name = ?"
    return shop.column(inside, name)


def tab(page, name):
    page.get_by_role("navigation", name="About this segment").get_by_role("link", name=name, exact=True).click()


def pin(visitor, segment, customer_id, how):
    page = visitor.page
    page.get_by_label("Id or e-mail address").fill(customer_id)
    page.get_by_label(how).check()
    visitor.click("button", "Pin", exact=True)
    expect(page.get_by_role("status").filter(has_text=f"Pinned: {how} {segment}.")).to_be_visible()


def to_pins(page):
    tab(page, "Settings")
    page.get_by_role("link", name="Pinned customers").click()


def set_limits(visitor, percent, contacts):
    page = visitor.open("/safety")
    page.get_by_label("Per cent of the segment's members").fill(percent)
    page.get_by_label("Contacts", exact=True).fill(contacts)
    visitor.click("button", "Save", exact=True)
    expect(page.get_by_text("From now on these are the limits.")).to_be_visible()


@pytest.fixture
def strict(visitor):
    """The smallest changes are held."""
    set_limits(visitor, "0", "0")
    yield
    set_limits(visitor, "20", "100")


def test_a_run_that_the_guard_holds_is_released_once_it_was_seen(visitor, page, shop, strict):
    name = "Held by the guard"
    keep(visitor, name, "amount_spent >= 500")
    tab(page, "Where it goes")
    page.get_by_role("link", name="Rehearse Shopify").click()
    visitor.click("button", re.compile(f"^Go with {name} on Shopify"))
    expect(page.get_by_text(f"{name} is live: its tag is being written to Shopify.")).to_be_visible()
    wait(lambda: practice.carry(shop.folder, TAG) == members(shop, name), 60)  # until then, all is what was released
    visitor.open("/segments")
    visitor.click("link", name, exact=True)
    segment = page.url.split("/segments/")[1].split("?")[0]
    to_pins(page)
    poor = shop.column("SELECT customer_id FROM customer_stats WHERE spent_minor < 10000 ORDER BY customer_id LIMIT 2")
    for customer_id in poor:
        pin(visitor, name, customer_id, "always in")
    visitor.open("/safety")
    release = page.locator(f"a[href='/segments/{segment}/rehearsal']")  # what webhooks would have told is held as well
    visitor.until(release)
    assert not practice.carry(shop.folder, TAG) & poor
    release.click()
    visitor.click("button", re.compile(f"^Go with {name} on Shopify"))
    expect(page.get_by_text(f"{name} is live: its tag is being written to Shopify.")).to_be_visible()
    wait(lambda: practice.carry(shop.folder, TAG) >= poor, 60)


def test_all_members_are_downloaded_as_csv(visitor, page, shop):
    keep(visitor, "For the post", OLD)
    tab(page, "Members")
    with page.expect_download() as started:
        visitor.click("link", "Export all as CSV")
    with started.value.path().open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["customer_id"] for row in rows) == sorted(members(shop, "For the post"))
    assert len(rows) > 10
    assert all("@example.com" in row["email"] for row in rows if row["email"])


def test_a_member_is_explained_part_by_part(visitor, page):
    keep(visitor, "With a reason", f"{OLD} AND amount_spent >= 100")
    tab(page, "Members")
    page.get_by_role("link", name=re.compile("^Why ")).first.click()
    expect(page.get_by_text("in With a reason", exact=True)).to_be_visible()
    for part in ("customer_added_date < 2026-06-01", "amount_spent >= 100"):
        expect(page.get_by_role("listitem").filter(has_text=part).get_by_text("yes").last).to_be_visible()


def test_a_member_is_pinned_out_and_let_back_in(visitor, page, shop):
    name = "With a pin"
    keep(visitor, name, OLD)
    member = min(members(shop, name))
    to_pins(page)
    pin(visitor, name, member, "never in")
    wait(lambda: member not in members(shop, name), 60)
    page.get_by_role("button", name=re.compile("^Take off")).click()
    expect(page.get_by_text("The pin is off: the query decides again.")).to_be_visible()
    wait(lambda: member in members(shop, name), 60)


def test_an_edit_is_rolled_back(visitor, page):
    keep(visitor, "Rolled back", OLD)
    visitor.click("link", "Edit the question")
    page.get_by_role("textbox", name="Who belongs to it").fill("number_of_orders > 2")
    visitor.click("button", "Save", exact=True)
    tab(page, "History")
    visitor.click("button", "Restore this version")
    expect(page.get_by_text("It is again what it was in version 1.")).to_be_visible()
    tab(page, "Overview")
    expect(page.get_by_text(OLD).first).to_be_attached()
