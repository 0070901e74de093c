"""How Alembic reaches the database, and how our column types are written into migrations."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlmodel import SQLModel

from plugin import db, models

assert models.__all__  # the import fills the metadata


def render_item(kind: str, item: Any, autogen: Any) -> str | Literal[False]:
    names = {db.UTCDateTime: "db.UTCDateTime()", db.Values: "db.Values()"}
    if kind == "type" and type(item) in names:
        autogen.imports.add("from plugin import db")
        return names[type(item)]
    for shared, name in ((db.Id, "db.Id"), (db.Json, "db.Json")):
        if kind == "type" and item is shared:
            autogen.imports.add("from plugin import db")
            return name
    return False


def run() -> None:
    engine = db.connect(context.config.attributes["url"])
    with engine.execution_options(writes=True).connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=SQLModel.metadata,
            render_as_batch=True,
            render_item=render_item,
            compare_type=True,
        )
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


run()
