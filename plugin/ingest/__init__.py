"""Records into rows: whatever order they arrive in and however often, the same rows come out."""

from plugin.ingest.batch import store
from plugin.ingest.rating import work as rate
from plugin.ingest.refetching import work as refetch
from plugin.ingest.work import work

__all__ = ["rate", "refetch", "store", "work"]
