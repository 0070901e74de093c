"""E-mail platforms that the practice shop can be connected with by consent, beside the one that it has a key for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from plugin.sandbox.consent import ClientApp
from plugin.sandbox.email import EmailStandIn
from plugin.sandbox.hubspot import HubSpotStandIn
from plugin.sandbox.mailchimp import MailchimpStandIn
from plugin.sandbox.omnisend import OmnisendStandIn
from plugin.sandbox.server import Server, serve
from plugin.sandbox.state import State

Person = Mapping[str, Any]
"""Whom all of them know: "email", and "consent" as Klaviyo says it."""

PLATFORMS = ("mailchimp", "omnisend", "hubspot")
STATUSES = {
    "mailchimp": {"SUBSCRIBED": "subscribed", "UNSUBSCRIBED": "unsubscribed", "NEVER_SUBSCRIBED": "transactional"},
    "omnisend": {"SUBSCRIBED": "subscribed", "UNSUBSCRIBED": "unsubscribed", "NEVER_SUBSCRIBED": "nonSubscribed"},
}


class Mailers:
    """The running stand-ins, each with a state of its own in `folder`. `clients` are our apps on them, by platform."""

    def __init__(self, folder: Path, now: Callable[[], datetime], clients: Mapping[str, ClientApp]) -> None:
        self.states = {one: State(folder / f"{one}.sqlite") for one in PLATFORMS}
        self.stand_ins: dict[str, EmailStandIn] = {
            "mailchimp": MailchimpStandIn(
                self.states["mailchimp"],
                now,
                "practice-us19",
                others={"f6a7b8c9d0": "Wholesale"},
                client=clients["mailchimp"],
            ),
            "omnisend": OmnisendStandIn(self.states["omnisend"], now, "practice", client=clients["omnisend"]),
            "hubspot": HubSpotStandIn(self.states["hubspot"], now, "practice", client=clients["hubspot"]),
        }
        self.servers: dict[str, Server] = {
            one: serve(self.states[one], one, self.stand_ins[one].app) for one in PLATFORMS
        }

    @property
    def origins(self) -> dict[str, str]:
        return {one: server.origin for one, server in self.servers.items()}

    def introduce(self, people: Iterable[Person]) -> None:
        """Let them know these, each platform whole and once."""
        known = [one for one in people if one["email"]]
        for platform, state in self.states.items():
            with state.transaction():
                if state.get("introduced", platform) is None:
                    self.add(platform, known)
                    state.set("introduced", platform, {})

    def add(self, platform: str, people: Iterable[Person]) -> None:
        words = STATUSES.get(platform)
        self.stand_ins[platform].add(
            {"email": one["email"], "status": words[one["consent"]]} if words else {"email": one["email"]}
            for one in people
        )

    def stop(self) -> None:
        for one in PLATFORMS:
            self.stand_ins[one].stop()
            self.servers[one].stop()
            self.states[one].close()
