"""What a rehearsal takes for granted that is not so yet."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Supposed:
    """Segments as if they were `released`, their existing members `quietly`; tags, as the ledger calls them, as if they
    were `adopted` from whoever put them on."""

    released: tuple[str, ...] = ()
    adopted: frozenset[str] = frozenset()
    quietly: bool = False


AS_IT_IS = Supposed()
