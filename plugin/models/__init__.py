from plugin.models import (
    attributes,
    commerce,
    events,
    history,
    inbox,
    keeping,
    lanes,
    privacy,
    segments,
    shops,
    site,
    tagging,
)

__all__ = [
    "attributes",
    "commerce",
    "events",
    "history",
    "inbox",
    "keeping",
    "lanes",
    "privacy",
    "segments",
    "shops",
    "site",
    "tagging",
]
