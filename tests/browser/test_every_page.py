"""Every page of the site, as different people have it before them: none is left out, also none that is new."""

import pytest

from tests.browser import axe
from tests.browser.pages import RULES, addresses
from tests.browser.visitor import NARROW, WIDE

# What stands out, besides what lies in a box that scrolls by itself.
TOO_WIDE = """() => [...document.querySelectorAll("body *")]
  .filter((one) => one.getBoundingClientRect().right > innerWidth + 1 && !one.parentElement.closest(".scrolls, pre"))
  .slice(0, 5).map((one) => one.outerHTML.slice(0, 200))"""
# What reaches past the column that the page's text stands in, where no line is as wide as the window.
PAST = """() => {
  const main = document.querySelector("main");
  const edge = main.getBoundingClientRect().right - parseFloat(getComputedStyle(main).paddingRight) + 1;
  const boxes = ".scrolls, pre, details:not([open])";
  const past = (one) => one.checkVisibility() && one.getBoundingClientRect().right > edge;
  return [...main.querySelectorAll("*")].filter((one) => past(one) && !one.parentElement.closest(boxes))
    .slice(0, 5).map((one) => one.outerHTML.slice(0, 200));
}"""
MOVING = """() => [...document.querySelectorAll("*")].filter((one) => {
  const { animationName, animationDuration, transitionDuration } = getComputedStyle(one);
  const lasts = (given) => given.split(",").some((part) => parseFloat(part) > 0.01);
  return lasts(transitionDuration) || (animationName !== "none" && lasts(animationDuration));
}).slice(0, 5).map((one) => one.outerHTML.slice(0, 200))"""
# Without scripts, the builder is text that is read beside it, and what takes long to count is behind a link.
SCRIPTED = "#building-side, #counted, #to-come, #worked-out"
READ = f"""() => [...document.querySelectorAll("h1, h2, h3, main th, main dt, main caption, main nav a")]
  .filter((one) => one.checkVisibility() && !one.closest("{SCRIPTED}"))
  .map((one) => one.textContent.trim().replace(/\\s+/g, " "))"""


@pytest.fixture
def visitor(visitors):
    """Somebody who wants no motion: colours are then at once what they will be."""
    return visitors(reduced_motion="reduce")


@pytest.fixture(params=sorted(RULES))
def pages(request, shop, visitor):
    """The addresses of one page; none where it is a file."""
    found = addresses(request.param, shop)
    return [path for path in found if "text/html" in visitor.context.request.get(path).headers["content-type"]]


def test_is_for_everybody_wide_and_narrow_light_and_dark(pages, visitor, visitors):
    """axe-core finds nothing, nothing stands out at the side, nothing moves, and nothing needs scripts to be read."""
    german, plain = visitors(locale="de-DE", viewport=NARROW), visitors(java_script_enabled=False)
    found = []
    for path in pages:
        page = visitor.open(path)
        found += told(path, "light", axe.violations(page))
        found += told(path, "past its column", page.evaluate(PAST))
        found += told(path, "moves", page.evaluate(MOVING))
        page.emulate_media(color_scheme="dark")
        found += told(path, "dark", axe.violations(page, rules=axe.COLOURS))
        page.set_viewport_size(NARROW)
        found += told(path, "narrow, dark", axe.violations(page))
        found += told(path, "narrow", too_wide(page))
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(WIDE)
        found += told(path, "in German, narrow", too_wide(german.open(path)))
        found += without_scripts(page, plain, path)
    assert not found, "\n".join(found)


def told(path, how, faults):
    return [f"{path} ({how}): {one}" for one in faults]


def too_wide(page):
    """Return what makes a page scroll sideways."""
    wider = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    return [f"too wide: {one}" for one in page.evaluate(TOO_WIDE) or ["the page"]] if wider else []


def without_scripts(page, plain, path):
    """Return what nobody can read on a page whose scripts do not run. The shop lives on between two looks."""
    missing = []
    for _ in range(3):
        there = plain.open(path).evaluate(READ)
        missing = [one for one in page.evaluate(READ) if one not in there]
        if not missing:
            break
        page.goto(path)
    return [f"{path} (without scripts): {one} is missing" for one in missing]


def test_a_page_that_is_not_there_is_for_everybody_too(visitor):
    visitor.expected = (404,)
    assert visitor.page.goto("/nothing/here").status == 404
    visitor.inspect()
