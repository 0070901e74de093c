"""Every text of the pages can be translated, and a catalog is all that a language needs."""

import html
import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from jinja2 import Environment, nodes

from connectors.phrases import dumps, loads, phrase
from plugin import translating
from tests.web.site import Site

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "templates"
SAME_IN_ALL = {
    "Tagsmith",
    "regulars",
    "seg:regulars-who-come-often",
    "Shopify, Klaviyo",
    "· Tagsmith",
    "tagsmith connect",
    "number_of_orders >= 3 AND last_order_date < -90d",
    "number_of_orders >= 3",
    "number_of_order",
    "12 Nov 2026, 09:30",
    "11 Nov 2026, 18:02",
}
SPOKEN = re.compile(r'\b(?:alt|aria-label|data-label|placeholder|title)="([^"]*)"')


@pytest.fixture
def database_url(sqlite_databases):
    with sqlite_databases() as address:
        yield address


def written(source):
    """The words that a template shows as they stand: between its tags, and in attributes that are read out."""
    tree = Environment(extensions=["jinja2.ext.i18n"], autoescape=True).parse(source)
    plain = "\x00".join(data.data for data in tree.find_all(nodes.TemplateData))
    for words in (*SPOKEN.findall(plain), *re.split(r"<[^>]*>|\x00", plain)):
        text = " ".join(html.unescape(words).split())
        if re.search(r"[A-Za-z]{2}", text) and not re.search(r"[=<>]", text.replace(">=", "").replace("< -", "")):
            yield text


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_every_word_of_a_template_passes_through_gettext(path):
    assert set(written(path.read_text())) - SAME_IN_ALL == set()


def test_a_word_that_does_not_is_found():
    assert list(written('<p class="x">Hello {{ name }}</p><a title="Go on">{{ _("x") }}</a>')) == ["Go on", "Hello"]


@pytest.fixture
def speech(tmp_path, monkeypatch):
    """A language with three texts, written as whoever translates writes it."""
    folder = tmp_path / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    head = 'msgid ""\nmsgstr ""\n"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n'
    texts = {"Sign in": "Anmelden", "A tag has at most %(longest)s characters.": "Höchstens %(longest)s Zeichen."}
    told = "".join(f'\nmsgid "{text}"\nmsgstr "{said}"\n' for text, said in texts.items())
    (folder / "messages.po").write_text(head + told, encoding="utf-8")
    translating.catalog.cache_clear()
    monkeypatch.setattr(translating, "CATALOGS", tmp_path)
    yield
    translating.catalog.cache_clear()


def test_a_catalog_is_all_that_a_language_needs(engine, time, speech):
    client = Site(engine).app.test_client()
    for wanted, shown in (("de-AT,en;q=0.5", "Anmelden"), ("fr, en-GB;q=0.1", "Sign in"), ("", "Sign in")):
        page = client.get("/login", headers={"Accept-Language": wanted}).text
        assert f"<h1>{shown}</h1>" in page
        assert f'<html lang="{ {"": "en"}.get(wanted, "de-AT" if shown == "Anmelden" else "en-GB") }">' in page


def test_what_people_chose_comes_before_what_their_browser_says(engine, time, speech):
    site = Site(engine)
    visitor = site.visitor(site.shop("alpha"))
    assert visitor.post("/language", language="de").status_code == 302
    assert '<html lang="de">' in visitor.get("/people", headers={"Accept-Language": "en-US"}).text
    visitor.post("/language", language="")
    assert '<html lang="en-US">' in visitor.get("/people", headers={"Accept-Language": "en-US"}).text
    assert visitor.post("/language", language="xx").status_code == 400


def test_a_phrase_stays_english_to_machines_and_keeps_its_parts(engine, speech):
    said = phrase("A tag has at most %(longest)s characters.", longest=1200)
    assert said == "A tag has at most 1,200 characters."
    assert translating.told(ValueError(said), "de") == "Höchstens 1.200 Zeichen."
    assert translating.told(loads(dumps(said)), "de") == "Höchstens 1.200 Zeichen."
    strange = '{"phrase": ["%(x)999999s", null, {"x": ""}]}'
    assert loads(dumps(strange)).strip() == strange


@pytest.mark.parametrize(
    ("locale", "shown"),
    [
        ("en", "3 Jan 2026, 14:05 | 1,234.5"),
        ("en_US", "Jan 3, 2026, 2:05 PM | 1,234.5"),
        ("en_GB", "3 Jan 2026, 14:05 | 1,234.5"),
        ("de_CH", "3. Jan. 2026, 14:05 | 1’234.5"),
        ("de", "3. Jan. 2026, 14:05 | 1.234,5"),
    ],
)
def test_days_times_and_numbers_are_written_as_the_reader_writes_them(locale, shown):
    at = datetime(2026, 1, 3, 13, 5, tzinfo=UTC)
    moment = translating.moment(at, ZoneInfo("Europe/Berlin"), locale).replace("\u202f", " ")
    assert f"{moment} | {translating.shown(1234.5, locale)}" == shown
