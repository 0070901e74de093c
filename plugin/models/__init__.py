from plugin.models import commerce, history, inbox, lanes, privacy, segments, shops, site, tagging

__all__ = ["commerce", "history", "inbox", "lanes", "privacy", "segments", "shops", "site", "tagging"]
