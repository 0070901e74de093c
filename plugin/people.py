"""The people of a shop: what each may do, the links by which they come in, and that an owner is always left."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from email.utils import parseaddr

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from plugin import clock, translating
from plugin.db import new_id, table, upsert
from plugin.models.segments import Segment
from plugin.models.shops import Account, PeopleChange, Shop
from plugin.seal import digest

ROLES = ("viewer", "editor", "owner")  # each may do what those before it may
OWNER = ROLES[-1]
LINK_DAYS = 7
LONGEST_ADDRESS = 254

changes = table(PeopleChange)


class RefusedError(ValueError):
    """No address, or no role."""


class KnownError(Exception):
    """Somebody of this address is there already."""


class LastOwnerError(Exception):
    """Without them nobody could act as owner any more."""


def may(role: str | None, needed: str) -> bool:
    """Whether a role is enough for what needs another. Nobody's and unknown ones are enough for nothing."""
    return role in ROLES and ROLES.index(role) >= ROLES.index(needed)


def all_of(session: Session, shop_id: str) -> Sequence[Account]:
    return session.scalars(
        select(Account).where(col(Account.shop_id) == shop_id).order_by(col(Account.email), col(Account.account_id))
    ).all()


def named(session: Session, shop_id: str, name: str) -> Account | None:
    """Return the account of this id or address."""
    wanted = or_(col(Account.account_id) == name, col(Account.email) == name.strip().casefold())
    return session.scalars(select(Account).where(col(Account.shop_id) == shop_id, wanted)).first() if name else None


def of_address(session: Session, shop_id: str, email: str) -> Account | None:
    """Return the account of an address; by the empty one, that of whoever set the shop's first password without any."""
    return session.scalars(
        select(Account).where(col(Account.shop_id) == shop_id, col(Account.email) == email.strip().casefold())
    ).first()


def invite(session: Session, shop_id: str, email: str, role: str, *, by: str) -> tuple[Account, str]:
    """Add somebody and return the code of the link by which they set their password. RefusedError; KnownError."""
    account = make(shop_id, address(email), demand_role(role))
    session.add(account)
    try:
        session.flush()
    except IntegrityError as error:  # one statement that two owners may send at once
        raise KnownError from error
    note(session, account, "invited", by)
    return account, new_code(session, account)


def make(shop_id: str, email: str, role: str) -> Account:
    """Return an account that no password opens yet."""
    return Account(
        shop_id=shop_id,
        account_id=new_id(),
        email=email,
        role=role,
        password_hash="",
        session_key=new_session_key(),
        created_at=clock.now(),
    )


def renew_link(session: Session, account: Account, *, by: str) -> str:
    """Return the code of a new link by which somebody sets a password; the one before is void."""
    note(session, account, "linked", by)
    return new_code(session, account)


def new_code(session: Session, account: Account) -> str:
    code = f"{account.shop_id}.{secrets.token_urlsafe(24)}"  # it names its shop, as every question does
    values = {"code_digest": digest(code), "code_until": clock.now() + timedelta(days=LINK_DAYS)}
    session.execute(update(Account).where(*same(account)).values(values))
    return code


def of_code(session: Session, code: str) -> Account | None:
    """Return whose password a link sets, while it does."""
    return session.scalars(
        select(Account).where(
            col(Account.shop_id) == code.partition(".")[0],
            col(Account.code_digest) == digest(code),
            col(Account.code_until) > clock.now(),
        )
    ).first()


def change_role(session: Session, account: Account, role: str, *, by: str) -> None:
    """Let somebody do more or less from their next request on. RefusedError; LastOwnerError."""
    if demand_role(role) != OWNER:
        demand_another_owner(session, account)
    session.execute(update(Account).where(*same(account)).values(role=role))
    note(session, account, "role", by, role=role)


def choose_language(session: Session, account: Account, language: str | None) -> None:
    """Keep in which language somebody reads the site and their mails; None: as their browser says."""
    session.execute(update(Account).where(*same(account)).values(language=language))


def language_of(session: Session, shop: Shop, email: str) -> str:
    """Return in which language to write to an address: as its account says, else in the shop's."""
    account = of_address(session, shop.shop_id, email) if email else None
    return (account.language if account else None) or shop.language or translating.ENGLISH


def remove(session: Session, account: Account, *, by: str) -> None:
    """Remove somebody, and with them their sessions and links. LastOwnerError."""
    demand_another_owner(session, account)
    note(session, account, "removed", by)
    session.delete(account)


def end_sessions(session: Session, account: Account, *, by: str) -> str:
    """End all sessions of an account and return the key of those that begin now."""
    note(session, account, "ended", by)
    session_key = new_session_key()
    session.execute(update(Account).where(*same(account)).values(session_key=session_key))
    return session_key


def looked_after(session: Session, account: Account) -> Sequence[str]:
    """Return the names of the segments that somebody looks after, who is told by mail of what is held of them."""
    if not account.email:
        return []
    own = (col(Segment.shop_id) == account.shop_id, func.lower(col(Segment.owner_email)) == account.email)
    return session.scalars(select(col(Segment.name)).where(*own).order_by(col(Segment.name))).all()


def note(session: Session, account: Account, change: str, by: str, role: str | None = None) -> None:
    """Keep what was done about somebody, and who did it."""
    row = {
        "shop_id": account.shop_id,
        "changed_at": clock.now(),
        "account_id": account.account_id,
        "change": change,
        "email": account.email,
        "role": role or account.role,
        "editor": by,
    }
    upsert(session, changes, [row])


def history(session: Session, shop_id: str, before: datetime | None = None, limit: int = 50) -> Sequence[PeopleChange]:
    """Return what was done about a shop's people, the latest first, from before a moment."""
    found = select(PeopleChange).where(col(PeopleChange.shop_id) == shop_id)
    if before:
        found = found.where(col(PeopleChange.changed_at) < before)
    latest = (col(PeopleChange.changed_at).desc(), col(PeopleChange.account_id), col(PeopleChange.change))
    return session.scalars(found.order_by(*latest).limit(limit)).all()


def names(session: Session, shop_id: str) -> dict[str, str]:
    """Return the addresses of all who are or were a shop's people, by account; empty of one known by none."""
    gone = select(PeopleChange).where(col(PeopleChange.shop_id) == shop_id, col(PeopleChange.change) == "removed")
    return {one.account_id: one.email for rows in (session.scalars(gone), all_of(session, shop_id)) for one in rows}


def demand_another_owner(session: Session, account: Account) -> None:
    """Raise LastOwnerError if an account is the only one that acts as owner.

    Its rows stay locked: two owners who remove each other at the same moment would each still see the other.
    """
    acting = select(col(Account.account_id)).where(
        col(Account.shop_id) == account.shop_id, col(Account.role) == OWNER, col(Account.password_hash) != ""
    )
    if session.scalars(acting.order_by(col(Account.account_id)).with_for_update()).all() == [account.account_id]:
        raise LastOwnerError


def same(account: Account) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return col(Account.shop_id) == account.shop_id, col(Account.account_id) == account.account_id


def new_session_key() -> str:
    return secrets.token_urlsafe(24)


def address(email: str) -> str:
    """Return an address as it is kept. RefusedError."""
    cleaned = email.strip().casefold()
    if len(cleaned) > LONGEST_ADDRESS or parseaddr(cleaned)[1] != cleaned or not all(cleaned.partition("@")):
        raise RefusedError(f"an e-mail address has an @ and at most {LONGEST_ADDRESS} characters")
    return cleaned


def demand_role(role: str) -> str:
    if role not in ROLES:
        raise RefusedError(f"a role is one of {', '.join(ROLES)}")
    return role
