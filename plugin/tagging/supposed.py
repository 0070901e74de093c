"""What a rehearsal takes for granted that is not so yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Supposed:
    """Segments as if they were `released`, their existing members `quietly`; tags, as the ledger calls them, as if they
    were `adopted` from whoever put them on; and segments as if these customers were their `members`."""

    released: tuple[str, ...] = ()
    adopted: frozenset[str] = frozenset()
    members: Mapping[str, frozenset[str]] = field(default_factory=dict)
    quietly: bool = False


AS_IT_IS = Supposed()
