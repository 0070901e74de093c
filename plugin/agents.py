"""Devices, browsers and systems, as browsers tell them of themselves in their user agents."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from ua_parser import parse_os, parse_user_agent

LONGEST = 1_000  # what is longer was made up
DEVICES = ("mobile", "tablet", "desktop")
PHONES = frozenset({"iOS", "Android", "KaiOS", "Windows Phone", "BlackBerry OS", "Symbian OS", "Tizen", "Firefox OS"})
DESKTOPS = frozenset({"Windows", "Mac OS X", "Linux", "Chrome OS", "Ubuntu", "Fedora", "Debian", "FreeBSD"})
# "Chrome Mobile iOS" and "Mobile Safari UI/WKWebView" are what their users call Chrome and Safari
VARIANTS = frozenset({"Mobile", "iOS", "UI/WKWebView", "WebView", "Mini", "Webview"})


@dataclass(frozen=True)
class Agent:
    """What a user agent says: the kind of device, the browser's name and the system's; None where it does not say."""

    device: str | None = None
    browser: str | None = None
    system: str | None = None


UNKNOWN = Agent()


@lru_cache(maxsize=8192)
def read(user_agent: str | None) -> Agent:
    """Return what a user agent says. Working one out takes milliseconds, and many orders share one."""
    if not user_agent:
        return UNKNOWN
    told = user_agent[:LONGEST]
    browser, system = parse_user_agent(told), parse_os(told)
    family = system.family if system else None
    return Agent(device(told, family), plain(browser.family) if browser else None, family)


def device(user_agent: str, system: str | None) -> str | None:
    """Return the kind of device. An Android that does not say "Mobile" is a tablet's; an iPad may pass for a Mac.

    https://developer.chrome.com/docs/multidevice/user-agent
    """
    if "iPad" in user_agent or "Tablet" in user_agent or (system == "Android" and "Mobile" not in user_agent):
        return "tablet"
    return "mobile" if system in PHONES else "desktop" if system in DESKTOPS else None


def plain(browser: str) -> str:
    return " ".join(word for word in browser.split() if word not in VARIANTS) or browser
