"""The page of those who ask what is stored about them: who waits and until when, and who was answered."""

import re
from datetime import timedelta

import pytest

from plugin import clock
from plugin.db import table, transaction, upsert
from plugin.models.privacy import DataRequest
from tests.web.test_segments import shown


@pytest.fixture
def database_url(sqlite_databases):
    """One kind is enough: what the database is asked here is asked of both in the same way."""
    with sqlite_databases() as address:
        yield address


def ask(site, tenant, **asked):
    """Keep requests: when each was asked, and when answered, in days before now."""
    now = clock.now()
    rows = [
        {
            "shop_id": tenant.shop_id,
            "request_id": name,
            "contact": f"{name}@mine.example.com",
            "asked_at": now - timedelta(days=before),
            "answered_at": None if answered is None else now - timedelta(days=answered),
        }
        for name, (before, answered) in asked.items()
    ]
    with transaction(site.engine) as session:
        upsert(session, table(DataRequest), rows)


def test_whoever_has_waited_longest_comes_first_and_is_late_after_thirty_days(site, visitor, mine):
    ask(site, mine, cora=(31, None), dora=(30, None))
    text = shown(visitor.page("/requests"))
    assert "3 wait for an answer" in text
    assert "cora@mine.example.com 22 Oct 2026, 13:00 21 Nov 2026 late" in text
    assert "22 Nov 2026 late" not in text
    assert text.index("cora@") < text.index("dora@") < text.index("anna@")


def test_those_who_were_answered_are_paged_the_latest_first(site, visitor, mine, monkeypatch):
    monkeypatch.setattr("plugin.web.customers.requests.PAGE", 2)
    ask(site, mine, cora=(9, 3), dora=(8, 3), eve=(7, 4))
    first = visitor.page("/requests")
    second = visitor.page(re.search(r'href="([^"]+)" rel="next"', first)[1].replace("&amp;", "&"))
    listed = [re.findall(r"(cora|dora|eve)@mine.example.com</td>", page) for page in (first, second)]
    assert listed == [["dora", "cora"], ["eve"]]
    assert "Answered" in shown(second)
    assert 'rel="next"' not in second
