"""How a connection keeps tags: as tags, in a field of its own, or both. The merchant chooses, and may choose again."""

from __future__ import annotations

from sqlalchemy import Engine, update
from sqlmodel import Session, col

from connectors import registry
from connectors.writers import FieldWriter, TagWriter
from plugin import lanes, shops, tokens
from plugin.db import reading, transaction
from plugin.models.shops import Connection
from plugin.tagging import audiences, marks, objects
from plugin.tagging.plan import destinations


class NoFieldError(ValueError):
    """This platform keeps tags in one way only, or there is no such way."""


def choose(engine: Engine, shop_id: str, connection_id: str, way: str) -> bool:
    """Keep tags in another way from now on; return whether it is another. LookupError: no connection; NoFieldError.

    The segments that were live there go back to rehearsal: until they are released again nothing is written in the new
    way, and nothing taken off in the old. ConnectorError: the platform would not have the field.
    """
    with reading(engine) as session:
        connection = shops.connection(session, shop_id, connection_id)
        if connection is None:
            raise LookupError(connection_id)
        if way not in offered(connection):
            raise NoFieldError(way)
        if connection.tags_as == way:
            return False
    opened = tokens.opened(engine, shop_id, connection_id)
    if opened and way != "tags" and isinstance(opened.connector, FieldWriter):
        with transaction(engine) as session:  # kept before: whoever is killed then leaves nothing that is not known
            objects.keep(session, opened, marks.MARK, None, ours=True)
        opened.connector.define_field()
    with transaction(engine) as session:
        write(session, shop_id, connection_id, way)
    return True


def offered(connection: Connection) -> tuple[str, ...]:
    """Return the ways in which a connection can keep tags, none if it takes none."""
    connector = registry()[connection.platform]
    if issubclass(connector, FieldWriter):
        return marks.WAYS
    return ("tags",) if issubclass(connector, TagWriter) else ()


def write(session: Session, shop_id: str, connection_id: str, way: str) -> None:
    session.execute(
        update(Connection)
        .where(col(Connection.shop_id) == shop_id, col(Connection.connection_id) == connection_id)
        .values(tags_as=way)
    )
    there = (destinations.c.shop_id == shop_id, destinations.c.connection_id == connection_id)
    session.execute(update(destinations).where(*there, destinations.c.state == "live").values(state="rehearsal"))
    if way == "metafield":  # an audience is made of those who carry a tag, and soon nobody will
        audiences.give_up(session, shop_id, connection_id=connection_id)
    lanes.poke(session, shop_id, f"sync:{connection_id}")
