"""What the editor offers next, as its script says it: run by node."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from plugin.segments.language import reference
from plugin.segments.language.vocabulary import Vocabulary

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "plugin" / "web" / "static"
SCRIPT = STATIC / "offers.js"
PAGE = """
const { script, table, queries } = JSON.parse(require("fs").readFileSync(0));
import(`data:text/javascript,${encodeURIComponent(script)}`).then(({ fitting, offered }) => {
  const told = queries.map((query) => ({ query, ...offered(table, query) }));
  console.log(JSON.stringify(told.map((one) => ({ ...one, fitting: fitting(one.options, one.typed) }))));
});
"""
OFFERED = {
    "": [],
    "number_of_orders >= ": ["1", "2", "5", "10"],
    "last_order_date BETWEEN -7d AND ": ["today", "-7d", "-30d", "-90d", "-12m"],
    "number_of_orders >= 5 ": ["AND", "OR"],
    "(customer_tags CONTAINS 'it\\'s' OR amount_spent > 5) ": ["AND", "OR"],
    "orders_placed MATCHES (date > -30d) ": ["AND", "OR"],
    "orders_placed MATCHES (date > -30d ": [],
    "amount_spent > 5 AND in ": ["SEGMENT"],
    "NOT IN SEGMENT ": ["'VIP'", "'It\\'s'"],
    "IN SEGMENT 'V": ["'VIP'", "'It\\'s'"],
    "customer_email_domain NOT STARTS WITH ": ["'gmail.com'"],
}


@pytest.fixture(scope="module")
def offered():
    if not (node := shutil.which("node")):
        pytest.skip("needs node")

    def ask(*queries: str, whole: bool = False) -> list[Any]:
        table = reference.completions(Vocabulary(segments=(("1", "VIP"), ("2", "It's"))))
        given = json.dumps({"script": SCRIPT.read_text(encoding="utf-8"), "table": table, "queries": queries})
        answer = subprocess.run([node, "-e", PAGE], input=given, capture_output=True, text=True, check=True, timeout=30)
        return [one if whole else [option["text"] for option in one["options"]] for one in json.loads(answer.stdout)]

    return ask


def test_operators_values_segments_and_what_joins_conditions_are_offered_where_they_may_follow(offered):
    assert dict(zip(OFFERED, offered(*OFFERED), strict=True)) == OFFERED


def test_a_condition_begins_with_a_name_or_is_turned_round_or_asks_for_a_segment(offered):
    begun, within = offered("amount_spent > 5 OR n", "orders_placed NOT MATCHES (")
    assert {"number_of_orders", "rfm_group", "NOT", "IN SEGMENT"} <= set(begun)
    assert "date" in within
    assert "number_of_orders" not in within


def test_the_shops_own_values_may_follow_where_it_has_any(offered):
    said = {
        "customer_tags CONTAINS 'v": {"name": "customer_tags", "parameter": ""},
        "products_purchased MATCHES (vendor = ": {"name": "products_purchased", "parameter": "vendor"},
        "customer_email_domain NOT IN ('a.com', ": {"name": "customer_email_domain", "parameter": ""},
        "customer_email_domain IN (": {"name": "customer_email_domain", "parameter": ""},
        "number_of_orders > ": None,
        "rfm_group = ": None,
    }
    assert {one["query"]: one["of"] for one in offered(*said, whole=True)} == said


def test_a_name_is_found_by_what_is_said_of_it(offered):
    [found] = offered("lately", whole=True)
    assert [one["text"] for one in found["fitting"]] == ["rfm_recency"]
