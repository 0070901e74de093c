"""Where an order came from and by which device: what the addresses and user agents of the histories say."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote_plus

from tests.plain.facts import Event, Order


class Agent(NamedTuple):
    device: str | None
    browser: str | None
    system: str | None


# A user agent is known by a piece of it.
AGENTS = {
    "iPhone": Agent("mobile", "Safari", "iOS"),
    "iPad": Agent("tablet", "Safari", "iOS"),
    "Android 16) ": Agent("mobile", "Chrome", "Android"),
    "Windows NT": Agent("desktop", "Edge", "Windows"),
}
NOTHING = Agent(None, None, None)


def agent(one: Order | Event) -> Agent:
    return next((agent for piece, agent in AGENTS.items() if piece in (one.user_agent or "")), NOTHING)


def source(order: Order) -> str | None:
    """The campaign that the first page was opened with, else the site before it, else the channel: the online store
    by itself is called direct."""
    campaign = re.search(r"[?&]utm_source=([^&#]*)", order.landing_site or "")
    if campaign and (named := unquote_plus(campaign[1]).strip()):
        return named.casefold()
    if site := re.match(r"https?://(?:www\.)?([^/:?]+)", (order.referring_site or "").casefold()):
        return site[1]
    channel = order.channel.casefold() if order.channel else None
    return "direct" if channel == "web" else channel
