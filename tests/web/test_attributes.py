"""The page of the attributes that a shop keeps: which, of how many customers, and what they are called."""

from __future__ import annotations

import re

import pytest

from plugin import clock, shops
from plugin.attributes.taking import Given, take
from plugin.db import reading, transaction
from plugin.segments.language import vocabulary
from tests.web.test_compared import count


@pytest.fixture
def database_url(sqlite_databases):
    """One kind is enough: what the database is asked here is asked on both elsewhere."""
    with sqlite_databases() as address:
        yield address


def keep(site, tenant, *given):
    with transaction(site.engine) as session:
        take(session, shops.shop(session, tenant.shop_id), [Given(*one, clock.now(), "1") for one in given], "api")


def test_attributes_are_listed_with_how_many_customers_have_one(site, mine, theirs, visitor):
    assert "No attributes yet" in visitor.page("/customers/attributes")
    keep(site, mine, ("size", 4), ("facts.birth_date", "1990-05-17"))
    keep(site, theirs, ("secret", "theirs"))
    assert visitor.page("/customers/attributes").count("not counted yet") == 2
    count(site, mine)
    assert "/customers/attributes" in visitor.page("/customers")
    page = visitor.page("/customers/attributes")
    rows = [re.sub(r"<[^>]+>|\s+", " ", row) for row in page.split("<tr")[2:]]
    assert ["attributes.size" in row and "a whole number" in row and " 1 " in row for row in rows] == [False, True]
    assert "secret" not in page


def test_a_label_is_kept_and_is_what_the_editor_says(site, mine, theirs, visitor):
    keep(site, mine, ("size", 4))
    keep(site, theirs, ("secret", "theirs"))
    said = visitor.said(visitor.post("/customers/attributes", key="size", label=" Shoe <size> "))
    assert "Shoe &lt;size&gt;" in said
    with reading(site.engine) as session:
        words = vocabulary.of(session, shops.shop(session, mine.shop_id))
    assert words.look_up("attributes.size").sentence == "Shoe <size>"
    assert visitor.post("/customers/attributes", key="secret", label="x").status_code == 404
