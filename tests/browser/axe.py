"""What axe-core finds on a page, in words. No rule is left out."""

from functools import cache
from pathlib import Path

PUBLISHED = Path(__file__).parent / "vendor/axe-4.14.1.min.js"
# Colours are all that a theme changes: pages are looked at whole in one, and for their colours in the other.
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
COLOURS = ["color-contrast", "link-in-text-block"]
RUN = """async (only) => {
  const found = await axe.run(document, { runOnly: only, resultTypes: ["violations"], preload: false });
  return found.violations.map(({ id, help, nodes }) =>
    [id, help, nodes.map(({ html, failureSummary }) => `${html.slice(0, 300)}\\n      ${failureSummary}`)]);
}"""


@cache
def source():
    return PUBLISHED.read_text()


def violations(page, *, rules=None):
    """Return what axe-core finds by all standards, or by these rules alone."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(source())
    only = {"type": "rule", "values": rules} if rules else {"type": "tag", "values": STANDARDS}
    return [f"{name}: {told}\n    {node}" for name, told, nodes in page.evaluate(RUN, only) for node in nodes[:3]]
