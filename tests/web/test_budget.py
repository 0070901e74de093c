"""How the editor's script says what a release to as many would cost: run by node."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "plugin" / "web" / "static" / "site.js"
PAGE = """
const { script, path, answer, query } = JSON.parse(require("fs").readFileSync(0));
const made = (tag) => ({
  tag, lines: [], dataset: {}, append(...all) { this.lines.push(...all); }, replaceChildren() {},
});
const element = { addEventListener() {}, dataset: {}, value: "vip", content: "" };
const form = { ...element, dataset: { budget: path }, elements: { query: element, on: element, rewards: element } };
const verdict = made("div");
const document = {
  querySelector: (what) => (what === "form.editor" ? form : what.includes("verdict") ? verdict : element),
  getElementById: (id) => (id.includes("verdict") ? verdict : element),
  createElement: made,
};
const asked = [];
const fetch = async (address) => {
  asked.push(address);
  if (!answer) throw new TypeError("nobody answers");
  return { ok: answer.status === 200, json: async () => answer.body };
};
const budget = new Function("document", "fetch", `${script}; return budget;`)(document, fetch);
const said = () => verdict.lines.map((list) => [list.tag, list.className, list.lines.map((one) => one.textContent)]);
budget(query, 1234).then(() => console.log(JSON.stringify({ asked, said: said() })));
"""
LINES = ["Klaviyo: 2 calls, less than a minute", "Brevo: 9 calls, 3 minutes"]


@pytest.mark.parametrize(
    ("path", "answer", "asked", "said"),
    [
        (
            "/b",
            {"status": 200, "body": {"lines": LINES}},
            "/b?count=1234",
            [["p", "quiet", []], ["ul", "quiet", LINES]],
        ),
        ("/b?shop=1", {"status": 200, "body": {"lines": []}}, "/b?shop=1&count=1234", []),
        ("/b", {"status": 500, "body": None}, "/b?count=1234", []),
        ("/b", None, "/b?count=1234", []),
    ],
    ids=["said", "in an address with a question", "failed", "unreachable"],
)
def test_what_a_release_would_cost_is_said_below_the_count_or_not_at_all(path, answer, asked, said):
    assert run(path, answer, "vip") == {"asked": [asked], "said": said}
    assert run(path, answer, "what stood there before")["said"] == []


def run(path, answer, query):
    """Return what is asked and said when the costs of a query are wanted, while `vip` is what stands there."""
    if not (node := shutil.which("node")):
        pytest.skip("needs node")
    given = json.dumps({"script": SCRIPT.read_text(encoding="utf-8"), "path": path, "answer": answer, "query": query})
    answered = subprocess.run([node, "-e", PAGE], input=given, capture_output=True, text=True, check=True, timeout=30)
    return json.loads(answered.stdout)
