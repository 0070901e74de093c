"""A CSV file of attributes on the site: looked at first, with columns, kinds and faults by line, then brought in.

The file travels back to the browser between the two steps, so that nothing of it stays here before the merchant agrees.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import StringIO

from flask import Blueprint, Flask, abort, g, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response

from plugin.attribute_imports import Progress, import_attributes
from plugin.attributes import definitions
from plugin.attributes.kinds import KINDS
from plugin.db import reading
from plugin.imports import Fault, UnreadableFileError
from plugin.web import engine
from plugin.web.customers.attributes import kinds

bp = Blueprint("attribute_files", __name__)

LARGEST_BYTES = 1_000_000  # some 20,000 rows of three values: about seven seconds on one core
MOST_FAULTS = 200
TYPE = "type:"

Page = str | Response | tuple[str, int]


@dataclass(frozen=True)
class Column:
    """A column of the file. `kind` is None where no cell says anything; `new`: it may still be chosen."""

    heading: str
    key: str
    kind: str | None
    new: bool


@dataclass(frozen=True)
class Look:
    """What a file comes to: `done` if it was brought in. `text` is sent again to do so."""

    text: str
    progress: Progress
    columns: list[Column]
    done: bool

    @property
    def faults(self) -> list[Fault]:
        return self.progress.faults[:MOST_FAULTS]


def install(app: Flask) -> None:
    """Let this page take more than a form; to be called before what reads forms."""
    app.before_request(allow_more)


def allow_more() -> None:
    if request.endpoint == "attribute_files.take_in":
        request.max_content_length = request.max_form_memory_size = 2 * LARGEST_BYTES  # line ends grow on their way


@bp.get("/customers/attributes/file")
def page() -> str:
    return shown()


@bp.post("/customers/attributes/file")
def take_in() -> Page:
    """Say what a file would bring; once that was seen, bring it in."""
    doing = request.form.get("action") == "do"
    try:
        text, types = sent(), chosen()
        with reading(engine()) as session:
            before = {one.key: one.kind for one in definitions.all_of(session, g.shop.shop_id)}
        progress = import_attributes(engine(), g.shop.shop_id, StringIO(text, newline=""), types, rehearse=not doing)
    except UnreadableFileError as error:
        return shown(fault=gettext("The file cannot be taken in: %(why)s.", why=error)), 422
    known = before | progress.defined
    columns = [Column(title, key, known.get(key), key not in before) for key, title in progress.columns.items()]
    return shown(Look(text, progress, columns, doing))


def shown(look: Look | None = None, fault: str | None = None) -> str:
    about = {"kinds": kinds(), "largest": LARGEST_BYTES // 1_000_000, "type_prefix": TYPE}
    return render_template("attributes/file.html", look=look, fault=fault, **about)


def sent() -> str:
    """Return the text of the file that was chosen, or of the one that was looked at. UnreadableFileError."""
    file = request.files.get("file")
    raw = (file.read() if file else request.form.get("text", "").encode()).replace(b"\r\n", b"\n")
    if len(raw) > LARGEST_BYTES:
        raise UnreadableFileError(gettext("it is larger than this page takes; the command import-attributes takes any"))
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableFileError(gettext("it is not text in UTF-8")) from None


def chosen() -> dict[str, str]:
    """Return the kinds that were chosen for new attributes, by key."""
    found = {name.removeprefix(TYPE): kind for name, kind in request.form.items() if name.startswith(TYPE)}
    return found if set(found.values()) <= set(KINDS) else abort(400)
