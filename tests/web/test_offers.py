"""What the editor offers next, as its script says it: run by node."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from plugin.segments.language import reference
from plugin.segments.language.vocabulary import Vocabulary

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "plugin" / "web" / "static"
SCRIPT = STATIC / "offers.js"
LOADED = re.compile(r"filename='(\w+\.js)'")
DECLARED = re.compile(r"^(?:const|let|class|(?:async )?function) (\w+)", re.MULTILINE)
PAGE = """
const { script, table, queries } = JSON.parse(require("fs").readFileSync(0));
const document = { getElementById: () => ({}) };
const box = { addEventListener() {} };
const asking = `${script}; return (told, all) => { language = told; return all.map(offered); }`;
console.log(JSON.stringify(new Function("document", "box", asking)(document, box)(table, queries)));
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

    def ask(*queries: str) -> list[list[str]]:
        table = reference.completions(Vocabulary(segments=(("1", "VIP"), ("2", "It's"))))
        given = json.dumps({"script": SCRIPT.read_text(encoding="utf-8"), "table": table, "queries": queries})
        answer = subprocess.run([node, "-e", PAGE], input=given, capture_output=True, text=True, check=True, timeout=30)
        return [texts for texts, _ in json.loads(answer.stdout)]

    return ask


def test_operators_values_segments_and_what_joins_conditions_are_offered_where_they_may_follow(offered):
    assert dict(zip(OFFERED, offered(*OFFERED), strict=True)) == OFFERED


def test_a_condition_begins_with_a_name_or_is_turned_round_or_asks_for_a_segment(offered):
    begun, within = offered("amount_spent > 5 OR n", "orders_placed NOT MATCHES (")
    assert {"number_of_orders", "rfm_group", "NOT", "IN SEGMENT"} <= set(begun)
    assert "date" in within
    assert "number_of_orders" not in within


def test_scripts_of_one_page_have_no_name_in_common():
    """The names of all are in one scope: a script that declares another's does not run at all."""
    pages = ("base.html", "editor/form.html")
    loaded = [name for page in pages for name in LOADED.findall((ROOT / "templates" / page).read_text())]
    declared = [name for script in loaded for name in DECLARED.findall((STATIC / script).read_text())]
    assert {"site.js", "offers.js"} <= set(loaded)
    assert len(declared) == len(set(declared)) > 20
