"""Style sheets, scripts and pictures: each under an address that names its content, and so is kept for good."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, request

SECONDS = 365 * 86_400
DIGITS = 12


def install(app: Flask) -> None:
    """Let addresses of files name their content, and browsers keep what was asked for by it."""
    assert app.static_folder
    folder = Path(app.static_folder)

    def name_content(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static" and (content := version(folder, values["filename"])):
            values.setdefault("v", content)

    def keep(response: Response) -> Response:
        """A file that has changed since its page was made is asked for again, and not kept under the old name."""
        if request.endpoint != "static" or response.status_code not in (200, 206, 304):
            return response
        asked = request.args.get("v")
        if asked and asked == version(folder, (request.view_args or {})["filename"]):
            response.cache_control.clear()
            response.cache_control.public = response.cache_control.immutable = True
            response.cache_control.max_age = SECONDS
        return response

    app.url_defaults(name_content)
    app.after_request(keep)


def version(folder: Path, name: str) -> str | None:
    """Return what names a file's content; None where there is no such file."""
    path = folder / name
    try:
        return digest(path, path.stat().st_mtime_ns)
    except OSError:
        return None


@lru_cache(maxsize=256)
def digest(path: Path, _changed: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:DIGITS]
