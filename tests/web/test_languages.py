"""Every text of the pages can be translated, and a catalog is all that a language needs."""

import html
import re
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages import mofile, pofile
from babel.messages.catalog import Catalog
from babel.messages.frontend import CommandLineInterface
from jinja2 import Environment, nodes

from plugin.web import languages
from tests.web.site import Site

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "templates"
SAME_IN_ALL = {"Tagsmith", "· Tagsmith", "tagsmith connect", "number_of_orders >= 3 AND last_order_date < -90d"}
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


@pytest.fixture(scope="module")
def catalog(tmp_path_factory):
    """All texts, as whoever translates is given them."""
    found = tmp_path_factory.mktemp("catalog") / "messages.pot"
    with pytest.MonkeyPatch.context() as here:
        here.chdir(ROOT)
        CommandLineInterface().run(["pybabel", "-q", "extract", "--mapping", "babel.cfg", "-o", str(found), "."])
    return pofile.read_po(BytesIO(found.read_bytes()))


def test_the_texts_of_templates_and_code_are_found_for_translation(catalog):
    texts = {one.id if isinstance(one.id, str) else one.id[0] for one in catalog if one.id}
    assert {"New segment", "in rehearsal", "%(num)d delivery is tried again.", "Not computed yet."} <= texts


def test_a_catalog_is_all_that_a_language_needs(engine, time, monkeypatch, tmp_path, catalog):
    german = Catalog(locale="de")
    for one in catalog:
        if one.id == "Sign in":
            german.add(one.id, "Anmelden")
    folder = tmp_path / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with (folder / "messages.mo").open("wb") as file:
        mofile.write_mo(file, german)
    monkeypatch.setattr(languages, "CATALOGS", tmp_path)
    client = Site(engine).app.test_client()
    for wanted, shown in (("de-AT,en;q=0.5", "Anmelden"), ("fr, en;q=0.1", "Sign in"), ("", "Sign in")):
        page = client.get("/login", headers={"Accept-Language": wanted}).text
        assert f"<h1>{shown}</h1>" in page
        assert f'<html lang="{"de" if shown == "Anmelden" else "en"}">' in page
