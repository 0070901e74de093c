"""The pages of one customer: found by what somebody types, the segments, and why they are in one or not."""

import re
from datetime import timedelta

import pytest

from plugin import clock
from plugin.db import transaction
from plugin.models.commerce import TagChange


@pytest.fixture
def database_url(sqlite_databases):
    """One kind is enough: what the database is asked here is asked on both elsewhere."""
    with sqlite_databases() as address:
        yield address


def shown(text):
    """The words of a page, without its markup."""
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def test_a_customer_is_found_by_address_and_their_segments_are_listed(visitor, mine):
    text = shown(visitor.said(visitor.post("/customers", who="Anna@mine.example.com")))
    assert "mine regulars 22 Nov 2026, 12:00 an order Why" in text
    assert "There is no customer" in visitor.post("/customers", who="nobody@example.com").text


def test_an_address_that_is_typed_stands_in_no_address_of_a_page(visitor, mine):
    assert 'method="get"' not in visitor.page("/customers")
    assert "anna@" not in visitor.page("/customers?who=anna@mine.example.com")
    assert visitor.post("/customers", who="anna@mine.example.com").headers["Location"] == "/customers/1"


def test_why_is_one_step_from_the_members_and_says_when_the_page_is_ahead_of_the_segment(site, visitor, mine):
    path = f"/segments/{mine.ids['segment_id']}/why/1"
    assert f'href="{path}"' in visitor.page(f"/segments/{mine.ids['segment_id']}/members")
    text = shown(visitor.page(path))
    assert "In it since 22 Nov 2026, 12:00 (an order)" in text
    assert "no customer_tags CONTAINS &#39;mine friends&#39; nothing" in text
    assert "brought up to date within a minute" in text  # the member was made up
    with transaction(site.engine) as session:
        session.add(
            TagChange(
                shop_id=mine.shop_id,
                customer_id="1",
                folded="mine friends",
                tag="Mine friends",
                changed_at=clock.now() - timedelta(hours=1),
                added=True,
            )
        )
    text = shown(visitor.page(path))
    assert "yes customer_tags CONTAINS &#39;mine friends&#39; mine friends" in text
    assert "up to date" not in text
    assert "If nothing happens, this stays so until 22 Nov 2029 at least." in text
