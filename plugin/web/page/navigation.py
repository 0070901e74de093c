"""Where the pages are: sections, the pages in each, and which of them the visitor stands on. One table.

The frame of every page shows it, and so does the menu of a platform's admin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Flask, g, request
from flask_babel import lazy_gettext as _

from plugin import people
from plugin.web.page import roles


@dataclass(frozen=True)
class Page:
    """A page that the navigation leads to. It stands for every endpoint that begins like one of `covers`, in words."""

    endpoint: str
    title: str
    covers: str = ""

    def closeness(self, endpoint: str) -> int:
        """Return how closely the page stands for an endpoint: the longer what they share, the closer; 0 if not."""
        begins = (self.endpoint, *self.covers.split())
        return max((len(one) for one in begins if endpoint.startswith(one)), default=0)


@dataclass(frozen=True)
class Section:
    """Pages that belong together: the first is where the section begins."""

    name: str
    title: str
    pages: tuple[Page, ...]


OF_A_SEGMENT = (
    "segments. editor. builder. edits. trials. over_time.show over_time.ahead reviews. snapshots. pins. removals. "
    "drafts. members. clauses. segment_settings."
)

SECTIONS = (
    Section("home", _("Home"), (Page("home.show", _("Home"), "home. first_steps."),)),
    Section(
        "segments",
        _("Segments"),
        (
            Page("segments.listing", _("All segments"), OF_A_SEGMENT),
            Page("gallery.listing", _("Templates"), "gallery."),
            Page("compared.show", _("Compare"), "compared. conflicts."),
            Page("ladders.listing", _("Ladders"), "ladders."),
            Page("portable.page", _("As a file"), "portable."),
        ),
    ),
    Section(
        "customers",
        _("Customers"),
        (
            Page("customers.find", _("Find"), "customers."),
            Page("attributes.listing", _("Attributes"), "attributes. attribute_files."),
            Page("requests.listing", _("Data requests"), "requests."),
        ),
    ),
    Section(
        "tags",
        _("Tags"),
        (
            Page("rehearsals.everything", _("Rehearsal"), "rehearsals."),
            Page("safety.show", _("Safety"), "safety."),
            Page("activity.listing", _("Activity"), "activity."),
        ),
    ),
    Section(
        "connections",
        _("Connections"),
        (
            Page("connections.listing", _("Connections"), "connections. consents."),
            Page("deliveries.listing", _("Deliveries"), "deliveries."),
            Page("webhooks.listing", _("Webhooks"), "webhooks."),
        ),
    ),
    Section(
        "settings",
        _("Settings"),
        (
            Page("preferences.show", _("Shop"), "preferences."),
            Page("people.listing", _("People"), "people."),
            Page("keys.listing", _("Keys"), "keys."),
        ),
    ),
    Section(
        "help",
        _("Help"),
        (
            Page("docs.index", _("Guides"), "docs."),
            Page("docs.segments", _("The language")),
            Page("docs.shopify", _("Shopify")),
            Page("docs.snippet", _("Website")),
            Page("docs.webhooks", _("Webhooks")),
            Page("docs.api", _("API")),
            Page("design.show", _("Design")),
        ),
    ),
)


def install(app: Flask) -> None:
    app.jinja_env.globals |= {"sections": sections, "here": here, "reachable": reachable}


def reachable(pages: Sequence[Page]) -> list[Page]:
    """Return those of some pages that the visitor may read."""
    return [one for one in pages if people.may(g.get("role"), roles.needed(one.endpoint, "GET"))]


def sections() -> list[tuple[Section, list[Page]]]:
    """Return the sections with those of their pages that the visitor may read."""
    found = ((section, reachable(section.pages)) for section in SECTIONS)
    return [(section, pages) for section, pages in found if pages]


def here() -> tuple[Section, Page] | tuple[None, None]:
    """Return the section and the page that the present address belongs to."""
    every = [(section, page) for section in SECTIONS for page in section.pages]
    section, page = max(every, key=lambda one: one[1].closeness(request.endpoint or ""))
    return (section, page) if page.closeness(request.endpoint or "") else (None, None)
