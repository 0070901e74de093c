"""An edit that writes is shown first, and kept once it was seen: then the form sends what it was that was agreed to."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from flask import request

from plugin.insight.foreseen import Foreseen


def terms(*parts: Any) -> str:
    """Return what stands for exactly this edit in a form, however forms write line breaks."""
    return sha256(repr(parts).encode()).hexdigest()[:32]


def agreed(*parts: Any) -> bool:
    return request.form.get("agreed") == terms(*parts)


def writing(found: Sequence[Foreseen]) -> list[Foreseen]:
    """Return where anything would be written."""
    return [one for one in found if one.rehearsed.contacts.total()]
