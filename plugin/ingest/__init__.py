"""Records into rows: whatever order they arrive in and however often, the same rows come out."""

from plugin.ingest.batch import store
from plugin.ingest.work import work

__all__ = ["store", "work"]
