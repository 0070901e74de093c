"""Tags: which segment goes where, what we have written, and what is still to be written.

Whoever writes several of these in one transaction does so in one order, so that nobody waits in a circle: destinations,
pushes (all contacts in one statement, by contact), contacts, the ledger, and then whatever else.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, false, text
from sqlmodel import Field, SQLModel

from plugin.models.columns import big, id_, json, key, keyed, moment, moment_key, said, shop_key


class OwnedTag(SQLModel, table=True):
    """A folded tag belongs to one segment of a shop for good, also after the segment is gone."""

    __tablename__ = "owned_tags"

    shop_id: str = shop_key()
    folded: str = key()
    tag: str
    segment_id: str = id_()


class Destination(SQLModel, table=True):
    """A segment's way to one connection: in rehearsal until the merchant says go.

    Or to an address that is told by webhooks, under its id: live from its first webhook on, as nothing is rehearsed.
    `quiet`: whoever was a member by then gets the tag without setting off the merchant's automations.
    """

    __tablename__ = "destinations"

    shop_id: str = shop_key()
    segment_id: str = key()
    connection_id: str = key()
    state: str = "rehearsal"  # rehearsal, live, held
    released_at: datetime | None = moment()
    quiet: bool = Field(default=False, sa_column_kwargs={"server_default": false()})


class TagCount(SQLModel, table=True):
    """How many contacts of a connection a segment's tag was put on and taken off within one hour, unexpectedly."""

    __tablename__ = "tag_counts"
    __table_args__ = keyed()

    shop_id: str = shop_key()
    connection_id: str = key()
    segment_id: str = key()
    hour_at: datetime = moment_key()
    added: int = big(0)
    removed: int = big(0)


class Hold(SQLModel, table=True):
    """Why the guard stopped a segment's tags on a connection, and what the merchant made of it.

    `added` and `removed` are the contacts that would have been changed since `since_at`, those written before the hold
    included; `size` is how many members the segment had then. `back_asked_at`: the merchant wants what was written
    since then taken back, which the connection's lane does: `back_at`.
    """

    __tablename__ = "holds"

    shop_id: str = shop_key()
    segment_id: str = key()
    connection_id: str = key()
    held_at: datetime = moment_key()
    since_at: datetime = moment(null=False)
    added: int = big(0)
    removed: int = big(0)
    size: int = big(0)
    back_asked_at: datetime | None = moment()
    back_at: datetime | None = moment()
    released_at: datetime | None = moment()
    mailed_at: datetime | None = moment()
    error: str | None = said()


class Audience(SQLModel, table=True):
    """A segment of the platform's own with those who carry a segment's tag; `name` and `tag` are what it was given.

    wanted, making (perhaps it is there), made, refused (see `error`), gone (the merchant deleted it), unwanted (to be
    deleted), dropped.
    """

    __tablename__ = "audiences"

    shop_id: str = shop_key()
    segment_id: str = key()
    connection_id: str = key()
    state: str = "wanted"
    audience_id: str | None = id_()
    name: str | None = None
    tag: str | None = None
    error: str | None = said()
    changed_at: datetime = moment(null=False)


class PlatformTag(SQLModel, table=True):
    """A tag that is an object of its own on a platform, by the id that it has there; or, called ",", a field of ours.

    `ours`: we had it made, and it was not left to others. Without an id one of ours was about to be made, where none
    was; any other was lost there, and what we know of its carriers is still to be forgotten.
    """

    __tablename__ = "platform_tags"

    shop_id: str = shop_key()
    connection_id: str = key()
    folded: str = key()
    tag: str
    tag_id: str | None = id_()
    ours: bool
    made_at: datetime = moment(null=False)


class LookUp(SQLModel, table=True):
    """A lane's look-up that goes on over several calls, where it stood still: the next call, and who is asked for."""

    __tablename__ = "look_ups"

    shop_id: str = shop_key()
    connection_id: str = key()
    kind: str = key()
    endpoint: str
    body: object = json()
    contacts: list[str] = json()
    kept_at: datetime = moment(null=False)


class Contact(SQLModel, table=True):
    """Somebody on a platform: `contact` is a customer's id or a casefolded address. Without `platform_id`: missing."""

    __tablename__ = "contacts"
    __table_args__ = keyed()

    shop_id: str = shop_key()
    connection_id: str = key()
    contact: str = key()
    platform_id: str | None = id_()
    looked_up_at: datetime = moment(null=False)


class LedgerEntry(SQLModel, table=True):
    """What we know of one tag on one contact.

    planned: to be put on by a later call, and not from us so far; intended: about to be written; confirmed: written;
    removing: about to be taken off; removed: taken off (kept, so that a late echo is known for ours); foreign: somebody
    else's, never touched; taken: taken off by somebody else, who is not answered with another write on the same day.
    """

    __tablename__ = "ledger"
    __table_args__ = keyed(Index("ix_ledger_tag", "shop_id", "connection_id", "folded", "state"))

    shop_id: str = shop_key()
    connection_id: str = key()
    contact: str = key()
    folded: str = key()
    tag: str
    state: str
    changed_at: datetime = moment(null=False)


class TagWrite(SQLModel, table=True):
    """That a call put one tag on one contact, or took it off, or was to: never changed afterwards.

    `tag` as the ledger calls it. `why`: what had it written other than that somebody entered or left the segment, NULL
    where it was that. `released_at`: since when the segment might write there, by then.
    """

    __tablename__ = "tag_writes"
    __table_args__ = keyed(
        Index("ix_tag_writes_segment", "shop_id", "segment_id", "written_at"),
        Index("ix_tag_writes_contact", "shop_id", "connection_id", "contact"),
        Index(
            "ix_tag_writes_not_taken",
            "shop_id",
            "written_at",
            sqlite_where=text("outcome != 'taken'"),
            postgresql_where=text("outcome != 'taken'"),
        ),
    )

    shop_id: str = shop_key()
    written_at: datetime = moment_key()
    connection_id: str = key()
    tag: str = key()
    contact: str = key()
    put_on: bool
    outcome: str  # taken, refused (for the reason `answer`), missing (nobody is there), again (to be sent once more)
    answer: str | None = said()
    segment_id: str | None = id_()
    why: str | None = None  # removed, off, leaving, taken_back, renamed, kept_otherwise
    released_at: datetime | None = moment()


class SegmentEntry(SQLModel, table=True):
    """That a contact entered a segment, or left it, as it is told to a platform: under `event_id`, always the same.

    `told_at`: since when nothing is left to do about it; with an `error` it was not taken. `attempts`: calls that may
    have told it.
    """

    __tablename__ = "segment_entries"
    __table_args__ = keyed(Index("ix_segment_entries_told", "shop_id", "connection_id", "told_at", "moved_at"))

    shop_id: str = shop_key()
    connection_id: str = key()
    event_id: str = key()
    contact: str = id_()
    segment_id: str = id_()
    entered: bool
    moved_at: datetime = moment(null=False)
    attempts: int = 0
    error: str | None = said()
    told_at: datetime | None = moment()


class Push(SQLModel, table=True):
    """A contact whose tags should differ. Cleared only if `version` is still the one that was sent."""

    __tablename__ = "pushes"
    __table_args__ = keyed(Index("ix_pushes_state", "shop_id", "connection_id", "state", "contact"))

    shop_id: str = shop_key()
    connection_id: str = key()
    contact: str = key()
    version: int = big(1)
    state: str = "waiting"  # waiting, sent (its job runs), missing, failed (refused; both are tried again next day)
    attempts: int = 0
    error: str | None = said()
    changed_at: datetime = moment(null=False)


class ReadBack(SQLModel, table=True):
    """The last time that contacts were read back and held against the ledger: a sample, or the `whole` of them.

    `cursor`: behind which contact it goes on. `lost`, `back`, `gone`: how many differences of each kind were found.
    """

    __tablename__ = "read_backs"

    shop_id: str = shop_key()
    connection_id: str = key()
    whole: bool
    cursor: str | None = id_()
    begun_at: datetime = moment(null=False)
    ended_at: datetime | None = moment()
    seen: int = big(0)
    lost: int = big(0)
    back: int = big(0)
    gone: int = big(0)


class Drift(SQLModel, table=True):
    """A contact that was not as the ledger has it. Of one that is `gone` altogether no tag is named."""

    __tablename__ = "drifts"
    __table_args__ = keyed()

    shop_id: str = shop_key()
    connection_id: str = key()
    contact: str = key()
    folded: str = key()
    tag: str
    kind: str  # lost: we put it on, and it is not there; back: we took it off, and it is there; gone
    seen_at: datetime = moment(null=False)


class Job(SQLModel, table=True):
    """A platform's asynchronous job: whose tags it writes, in the order of its call, at which versions, and which."""

    __tablename__ = "jobs"

    shop_id: str = shop_key()
    connection_id: str = key()
    job: str = key()
    changes: list[object] = json()
    sent_at: datetime = moment(null=False)
    due_at: datetime = moment(null=False)
    polls: int = 0


class Budget(SQLModel, table=True):
    """What is left of a platform's limit on one endpoint, for all processes together."""

    __tablename__ = "budgets"

    shop_id: str = shop_key()
    connection_id: str = key()
    endpoint: str = key()
    left: dict[str, object] | None = json()
    closed_until: datetime | None = moment()
