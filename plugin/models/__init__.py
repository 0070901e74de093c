from plugin.models import attributes, commerce, history, inbox, lanes, privacy, segments, shops, site, tagging

__all__ = ["attributes", "commerce", "history", "inbox", "lanes", "privacy", "segments", "shops", "site", "tagging"]
