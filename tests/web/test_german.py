"""Every text of the site is told in every language that the site has, and no German page keeps an English one."""

import ast
import html
import re
from datetime import date
from io import BytesIO
from pathlib import Path

import pytest
import responses
from babel.messages import pofile

import plugin
from connectors import registry
from plugin import shops
from plugin.db import transaction
from plugin.insight.telling import Voice
from plugin.models.segments import Segment
from plugin.models.shops import Shop
from plugin.segments.kept import keep
from plugin.translating import CATALOGS, NATIVE, catalog
from plugin.translations import __main__ as tool
from plugin.translations import texts
from tests.web.site import Site
from tests.web.test_attribute_files import upload
from tests.web.test_platforms import ACCOUNTS
from tests.web.test_roles import addresses

PLACES = sorted(CATALOGS.glob("*/LC_MESSAGES/messages.po"))
PART = re.compile(r"%\(\w+\)[sd]|{\w+}")
SPOKEN = re.compile(r'\b(?:alt|aria-label|data-[\w-]+|placeholder|title)="([^"]*)"')
WORD = re.compile(r"\b[A-Za-z][a-z]{2,}\b")
OURS = re.compile(r"\balpha\W\w+|\S*[./_@:]\S+")  # what the made-up shop calls its things, and codes
NAMES = {*NATIVE.values(), *(one.label for one in registry().values()), "Node", "Python", "Tagsmith", "WooCommerce"}
UNSEEN = re.compile(r"<(script|style|code|pre)\b.*?</\1>", re.DOTALL)


@pytest.fixture
def database_url(sqlite_databases):
    with sqlite_databases() as address:
        yield address


@pytest.fixture(scope="module")
def wanted():
    return texts.wanted()


def forms(text):
    return [text] if isinstance(text, str) else list(text)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.parts[-3])
def test_every_text_is_told_with_all_of_its_parts_and_numbers(place, wanted):
    told = pofile.read_po(BytesIO(place.read_bytes()))
    lacking = []
    for one in wanted:
        there = told.get(one.id) if one.id else one
        said = [part for part in forms(there.string) if part] if there and there.string else []
        whole = {*PART.findall(" ".join(forms(one.id)))} == {*PART.findall(" ".join(said))}
        if one.id and (there.fuzzy or not whole or len(said) != (told.num_plurals if one.pluralizable else 1)):
            lacking.append(one.id)
    assert lacking == []
    assert {str(one.id) for one in told} - {str(one.id) for one in wanted} == set()


def test_no_text_hides_in_a_string_with_values_where_it_is_not_found():
    for place in Path(plugin.__file__).parent.rglob("*.py"):
        nodes = [*ast.walk(ast.parse(place.read_text("utf-8")))]
        parts = [part for one in nodes if isinstance(one, ast.JoinedStr) for part in ast.walk(one)]
        called = {getattr(part.func, "id", "") for part in parts if isinstance(part, ast.Call)}
        assert not called & {"gettext", "ngettext", "phrase", "phrases"}, place


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.parts[-3])
def test_a_catalog_is_as_the_texts_make_it(place, wanted, tmp_path):
    copy = tmp_path / "messages.po"
    copy.write_bytes(place.read_bytes())
    tool.update(copy, wanted)
    assert copy.read_bytes() == place.read_bytes()


def shown(page):
    """The words that a page shows or has read out, each between two tags or in one attribute."""
    seen = UNSEEN.sub(" ", page)
    told = (words for words in SPOKEN.findall(seen) if not re.fullmatch("[a-z_]+", words))  # a script's own words
    for words in (*told, *re.split(r"<[^>]*>", seen)):
        yield " ".join(html.unescape(words).split())


def test_a_german_page_has_no_words_in_common_with_the_english_one(engine, time, wanted):
    """But for names of the shop's own and of platforms, codes, and texts that are the same in both languages."""
    site = Site(engine)
    tenant = site.ladder(site.shop("alpha"))
    site.people(tenant, "ada@example.com", "bo@example.com")
    visitor, german = site.visitor(tenant), catalog("de")
    texts = {part for one in wanted if one.id for part in forms(one.id)}
    alike = {word for part in texts if german.ugettext(part) == part for word in WORD.findall(part)}
    pages = [path for _, method, path in addresses(site, tenant) if method == "GET"]
    pages += [rule.rule for rule in site.app.url_map.iter_rules() if rule.endpoint.startswith("docs.")]

    def said(language):
        visitor.post("/language", language=language)
        answers = {path: visitor.get(path).text for path in pages}
        return {path: text for path, text in answers.items() if f'<html lang="{language}">' in text}

    told, english = said("de"), said("en")
    assert told.keys() == english.keys()
    kept = {path: {*shown(text)} & {*shown(english[path])} for path, text in told.items()}
    words = {path: {one for each in both for one in WORD.findall(OURS.sub("", each))} for path, both in kept.items()}
    assert {path: left for path, both in words.items() if (left := both - alike - NAMES)} == {}


@pytest.fixture
def reader(visitor):
    """Somebody of the shop who reads German."""
    visitor.post("/language", language="de")
    return visitor


def test_what_a_platform_answered_is_told_in_the_readers_language(reader, mine):
    with responses.RequestsMock() as klaviyo:
        klaviyo.get(ACCOUNTS, status=401, json={})
        reader.post(f"/connections/{mine.ids['connection_id']}/check")
    assert "klaviyo GET /api/accounts antwortete mit 401" in reader.page("/connections")
    reader.post("/language", language="en")
    assert "klaviyo GET /api/accounts answered 401" in reader.page("/connections")


def test_what_is_wrong_with_a_file_is_told_in_the_readers_language(reader):
    def told(raw):
        return " ".join(shown(upload(reader, raw).text))

    assert "keine Spalte sagt, zu wem die Werte gehören" in told(b"name,shoe_size\nAnna,4\n")
    text = told(b"email,born,changed_at\nanna@mine.example.com,2020-01-01,once\nanna,2020-01-01,\nanna\n")
    assert "changed_at: kein Zeitpunkt mit Abstand zu UTC" in text
    assert "weder eine Kunden-ID noch eine E-Mail-Adresse" in text
    assert "1 Spalten statt 3" in text


def test_a_template_is_known_by_what_was_made_from_it_whatever_it_is_called(site, mine, reader):
    reader.post("/segments/templates", template="regulars")
    [segment] = [one for one in site.rows(Segment) if one.name == "Stammkunden"]
    reader.post("/language", language="en")
    for name in ("Stammkunden", "Our friends"):
        with transaction(site.engine) as session:
            keep.edit(session, shops.shop(session, mine.shop_id), segment.segment_id, name=name)
        assert f'href="/segments/{segment.segment_id}"' in reader.page("/segments/templates?q=regulars")
        assert 'value="regulars"' not in reader.page("/segments/proposed")


def test_what_a_template_lacks_is_told_in_the_readers_language(reader):
    reader.post("/segments/templates", template="companies")
    assert "companies liefert noch keine Verbindung: Es braucht einen Shopify-Shop" in reader.page("/segments")
    reader.post("/segments/proposed", template="at_risk", action="accept")
    reader.post("/segments/proposed", template="at_risk", action="accept")
    assert "Es gibt bereits ein Segment mit dem Namen" in reader.page("/segments")


def test_days_of_an_explanation_are_written_as_the_reader_writes_them(site, mine):
    shop = site.rows(Shop)[0]
    assert [Voice(shop, locale).day(date(2026, 9, 3)) for locale in ("de", "en_US")] == ["3. Sept. 2026", "Sep 3, 2026"]
