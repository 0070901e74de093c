"""README says what there is: every setting, command, name of the language and connector."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest

from connectors import registry
from plugin.__main__ import parser
from plugin.config import Settings
from plugin.segments.fields import FIELDS, FUNCTIONS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def commands(of: argparse.ArgumentParser, before: str = "") -> list[str]:
    """Return the commands that do something, by the words that call them."""
    inside = [action for action in of._actions if isinstance(action, argparse._SubParsersAction)]
    if not inside:
        return [before.strip()]
    return [name for word, found in inside[0].choices.items() for name in commands(found, f"{before} {word}")]


def available() -> list[str]:
    return [row.name for row in (*FIELDS.values(), *FUNCTIONS.values()) if row.available]


@pytest.mark.parametrize("name", [field.upper() for field in Settings.model_fields])
def test_every_setting_is_in_the_readme(name):
    assert f"`{name}`" in README


@pytest.mark.parametrize("command", commands(parser()))
def test_every_command_is_in_the_readme(command):
    assert f"`{command}`" in README


@pytest.mark.parametrize("name", available())
def test_every_name_of_the_language_is_in_the_readme(name):
    assert f"| `{name}" in README


@pytest.mark.parametrize("slug", sorted(registry()))
def test_every_connector_is_in_the_readme(slug):
    assert f"| `{slug}` |" in README


@pytest.mark.parametrize("target", re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
def test_every_target_of_the_makefile_is_in_the_readme(target):
    assert f"`make {target}`" in README
