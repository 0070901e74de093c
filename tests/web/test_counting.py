"""How the editor's script puts together a count that comes in parts: run by node."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "plugin" / "web" / "static" / "site.js"
PAGE = """
const { script, answers } = JSON.parse(require("fs").readFileSync(0));
const element = { addEventListener() {}, dataset: {}, value: "", content: "" };
const form = { ...element, elements: { query: element, on: element, rewards: element } };
const document = { querySelector: (what) => (what === "form.editor" ? form : element), getElementById: () => element };
const asked = [], seen = [];
const fetch = async (_, { body }) => {
  asked.push(body.get("after"));
  return { ok: true, json: async () => answers[asked.length - 1] };
};
const counting = new Function("document", "fetch", `${script}; return gather;`)(document, fetch);
counting("q", { count: "1" }, (found) => seen.push(found)).then(() => console.log(JSON.stringify({ asked, seen })));
"""


def answer(count: int, after: str | None) -> dict[str, object]:
    rest = after and {"after": after, "seen": 5, "of": 12}
    return {"ok": True, "count": count, "rest": rest, "clauses": [{"text": "a", "alone": count, "so_far": 1}]}


def test_parts_are_asked_for_one_after_the_other_and_added_up():
    if not (node := shutil.which("node")):
        pytest.skip("needs node")
    given = {"script": SCRIPT.read_text(encoding="utf-8"), "answers": [answer(1, "5"), answer(2, "9"), answer(3, None)]}
    said = subprocess.run(
        [node, "-e", PAGE], input=json.dumps(given), capture_output=True, text=True, check=True, timeout=30
    )
    found = json.loads(said.stdout)
    assert found["asked"] == [None, "5", "9"]
    assert [one["count"] for one in found["seen"]] == [1, 3, 6]
    assert [one["rest"] and one["rest"]["seen"] for one in found["seen"]] == [5, 10, None]
    assert found["seen"][-1]["clauses"] == [{"text": "a", "alone": 6, "so_far": 3}]
