"""Every platform that is registered stands under the suite, and others can join from outside."""

import pkgutil
from abc import ABCMeta
from importlib import import_module

import pytest

import connectors
import tests.connectors
from connectors import base, engagement, entries, installs, sources, writers
from connectors.base import Connector
from connectors.engagement import EngagementHooks, EngagementSource
from connectors.entries import EntryTeller
from connectors.installs import AppInstall, EmbeddedPages, SeveralAccounts
from connectors.sources import EventSource, HistorySource, OrderSource, RatingSource
from connectors.writers import AudienceMaker, FieldWriter, PixelHost, TagMaker, TagWriter
from tests.connectors import contract

CONTRACTS = {
    Connector: contract.ConnectorContract,
    EngagementSource: contract.EngagementSourceContract,
    EngagementHooks: contract.EngagementHooksContract,
    EntryTeller: contract.EntryTellerContract,
    EventSource: contract.EventSourceContract,
    AppInstall: contract.AppInstallContract,
    SeveralAccounts: contract.SeveralAccountsContract,
    EmbeddedPages: contract.EmbeddedPagesContract,
    HistorySource: contract.HistorySourceContract,
    TagWriter: contract.TagWriterContract,
    FieldWriter: contract.FieldWriterContract,
    TagMaker: contract.TagMakerContract,
    AudienceMaker: contract.AudienceMakerContract,
    OrderSource: contract.OrderSourceContract,
    RatingSource: contract.RatingSourceContract,
    PixelHost: contract.PixelHostContract,
}


def suites():
    """All test classes under the contract, of every module in this folder."""
    for module in pkgutil.iter_modules(tests.connectors.__path__, "tests.connectors."):
        if module.name.rpartition(".")[2].startswith("test_"):
            import_module(module.name)
    found, waiting = [], [contract.ConnectorContract]
    while waiting:
        waiting += (below := waiting.pop().__subclasses__())
        found += below
    return [suite for suite in found if suite.__name__.startswith("Test")]


def roles_under_test(connector):
    return {
        role
        for suite in suites()
        if isinstance(suite.connector, connector)
        for role, demanded in CONTRACTS.items()
        if issubclass(suite, demanded)
    }


def test_every_role_has_its_part_of_the_suite():
    modules = (base, engagement, entries, installs, sources, writers)
    named = [(module, one) for module in modules for one in vars(module).values() if isinstance(one, ABCMeta)]
    roles = {one for module, one in named if one.__module__ == module.__name__}
    assert roles == CONTRACTS.keys()


@pytest.mark.parametrize("slug", sorted(connectors.registry()))
def test_every_registered_connector_is_under_the_suite_in_all_its_roles(slug):
    connector = connectors.registry()[slug]
    assert roles_under_test(connector) == {role for role in CONTRACTS if issubclass(connector, role)}


@pytest.mark.parametrize("slug", sorted(connectors.registry()))
def test_a_connector_is_registered_under_its_own_name(slug):
    connector = connectors.registry()[slug]
    assert connector.slug == slug
    assert connector.label
    assert connector.role in ("store", "email")


OUTSIDE = """
from connectors.base import ApiKey, Connector, Identity

class Acme(Connector):
    slug, label, role, install = "acme", "Acme", "store", ApiKey(fields=("key",))

    def check(self):
        return Identity("1", "Acme")

class Impostor(Acme):
    slug = "shopify"
"""


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A package that brings a connector, installed as any other."""
    (tmp_path / "acme_for_tagsmith.py").write_text(OUTSIDE)
    about = tmp_path / "acme_for_tagsmith-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-for-tagsmith\nVersion: 1.0\n")
    names = "acme = acme_for_tagsmith:Acme\nshopify = acme_for_tagsmith:Impostor\n"
    (about / "entry_points.txt").write_text(f"[tagsmith.connectors]\n{names}")
    monkeypatch.syspath_prepend(tmp_path)
    connectors.registry.cache_clear()
    yield
    connectors.registry.cache_clear()


@pytest.mark.usefixtures("installed")
def test_an_outside_package_adds_a_platform_and_replaces_none_of_ours():
    found = connectors.registry()
    assert found["acme"].label == "Acme"
    assert found["shopify"].label == "Shopify"


@pytest.mark.usefixtures("installed")
def test_a_connector_outside_the_suite_is_noticed():
    assert roles_under_test(connectors.registry()["acme"]) == set()


def test_connectors_that_cannot_hear_or_write_do_not_say_that_they_can():
    assert not issubclass(connectors.registry()["klaviyo"], EventSource)
