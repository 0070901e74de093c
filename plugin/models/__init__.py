"""The tables. `shop_id` is the first column of every key: a tenant's rows stay together, and apart from others'."""

from plugin.models import commerce, inbox, lanes, privacy, segments, shops, tagging

__all__ = ["commerce", "inbox", "lanes", "privacy", "segments", "shops", "tagging"]
