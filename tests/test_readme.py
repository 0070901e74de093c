"""README says what there is: every setting, command, name of the language and connector."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest

from connectors import registry
from plugin.__main__ import parser
from plugin.config import Settings
from plugin.segments.language.fields import FIELDS, FUNCTIONS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def commands(of: argparse.ArgumentParser, before: str = "") -> list[str]:
    """Return the commands that do something, by the words that call them."""
    inside = [action for action in of._actions if isinstance(action, argparse._SubParsersAction)]
    if not inside:
        return [before.strip()]
    return [name for word, found in inside[0].choices.items() for name in commands(found, f"{before} {word}")]


ATTRIBUTES = [row for row in FIELDS.values() if row.available]
ASKED = [row for row in FUNCTIONS.values() if row.available]


def row_of(cell: str) -> str:
    """Return the row of a table that begins with a cell."""
    [row] = [line for line in README.splitlines() if line.startswith(f"| `{cell}` |")]
    return row


@pytest.mark.parametrize("name", [field.upper() for field in Settings.model_fields])
def test_every_setting_is_in_the_readme(name):
    assert f"`{name}`" in README


@pytest.mark.parametrize("command", commands(parser()))
def test_every_command_is_in_the_readme(command):
    assert f"`{command}`" in README


@pytest.mark.parametrize("field", ATTRIBUTES, ids=lambda row: row.name)
def test_every_attribute_of_the_language_is_in_the_readme_as_the_table_has_it(field):
    row = row_of(field.name)
    assert f"| {field.type.value} | {field.sentence}" in row
    assert "the same words" in row or all(f"`{value}`" in row for value in field.values)


@pytest.mark.parametrize("function", ASKED, ids=lambda row: row.name)
def test_every_function_of_the_language_is_in_the_readme_with_its_parameters(function):
    told = re.findall(r"`(\w+)`", row_of(f"{function.name} MATCHES (…)").split("|")[2])
    assert set(told) == {one.name for one in function.parameters.values() if one.available}


@pytest.mark.parametrize("slug", sorted(registry()))
def test_every_connector_is_in_the_readme(slug):
    assert f"| `{slug}` |" in README


@pytest.mark.parametrize("target", re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
def test_every_target_of_the_makefile_is_in_the_readme(target):
    assert f"`make {target}`" in README


def test_its_pictures_are_there_and_small():
    pictures = [ROOT / path for path in re.findall(r"!\[[^\]]{10,}\]\(([^)]+)\)", README)]
    assert len(pictures) == README.count("![") > 5
    assert sum(one.stat().st_size for one in pictures) < 1_000_000
