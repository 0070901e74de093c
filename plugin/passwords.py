"""Passwords of accounts: set by the code of the shop or a link, then asked for, with a pause after wrong ones."""

from __future__ import annotations

import hmac
import secrets
from datetime import timedelta
from functools import cache
from threading import BoundedSemaphore

from sqlalchemy import ColumnElement, or_, select, update
from sqlmodel import Session, col
from werkzeug.security import check_password_hash, generate_password_hash

from plugin import clock, people, shops
from plugin.models.shops import Account, Shop
from plugin.seal import digest

SHORTEST = 10
LONGEST = 200
FREE_FAILURES = 5
LONGEST_PAUSE_MINUTES = 15

# A hash takes 32 MB and a tenth of a second: that many at once, and no visitor can make us do more.
hashing = BoundedSemaphore(2)


def hashed(password: str) -> str:
    with hashing:
        return generate_password_hash(password, method="scrypt")


def fits(password_hash: str, password: str) -> bool:
    with hashing:
        return check_password_hash(password_hash, password)


@cache
def nobodys() -> str:
    """A hash that no password fits: to look for a shop that is not there takes as long as for one that is."""
    return hashed(secrets.token_urlsafe(32))


def of_code(session: Session, code: str) -> tuple[Shop, Account | None] | None:
    """Return the shop whose first password this code sets, or with an account the one that it is the link of."""
    if not code:
        return None
    if shop := session.scalars(select(Shop).where(col(Shop.setup_digest) == digest(code))).first():
        return shop, None
    account = people.of_code(session, code)
    return (shops.shop(session, account.shop_id), account) if account else None


def set_first(
    session: Session, code: str, password_hash: str, email: str = "", *, language: str | None = None
) -> Account | None:
    """Use up the code of a shop and set the password of its owner of this address, or of its nameless one.

    From then on the shop is written to in their `language`.

    None: no such code, any more.
    """
    used = session.execute(
        update(Shop)
        .where(col(Shop.setup_digest) == digest(code))
        .values(setup_digest=None, language=language)
        .returning(col(Shop.shop_id))
    ).first()
    if used is None:
        return None
    known = [people.of_address(session, used.shop_id, one) for one in (email, "")]
    account = known[0] or known[1] or people.make(used.shop_id, "", people.OWNER)
    account.email, account.role = email, people.OWNER
    session.add(account)
    return set_anew(account, password_hash)


def set_by_link(session: Session, code: str, password_hash: str) -> Account | None:
    """Use up a link and set the password of whose it is. None: no such link, any more."""
    used = session.execute(
        update(Account)
        .where(
            col(Account.shop_id) == code.partition(".")[0],
            col(Account.code_digest) == digest(code),
            col(Account.code_until) > clock.now(),
        )
        .values(code_digest=None, code_until=None)
        .returning(col(Account.shop_id), col(Account.account_id))
    ).first()
    account = session.get(Account, tuple(used)) if used else None
    if account is None:
        return None
    people.note(session, account, "joined", f"account:{account.account_id}")
    return set_anew(account, password_hash)


def set_anew(account: Account, password_hash: str) -> Account:
    """Set a password; sessions begun with an earlier one end, and so does a link."""
    account.password_hash, account.session_key = password_hash, people.new_session_key()
    account.code_digest = account.code_until = None
    account.failures, account.locked_until = 0, None
    return account


def of_shop(session: Session, shop_id: str) -> Account | None:
    """Return the first owner of a shop, if there is one who acts."""
    acting = (col(Account.shop_id) == shop_id, col(Account.role) == people.OWNER, col(Account.password_hash) != "")
    return session.scalars(select(Account).where(*acting).order_by(col(Account.created_at)).limit(1)).first()


def find(session: Session, shop_name: str, email: str = "") -> Account | None:
    """Return the account of an address in the shop of this name or domain; asks as much where there is no such shop."""
    try:
        shop_id = shops.by_name(session, shop_name.strip()).shop_id
    except shops.UnknownShopError:
        shop_id = ""
    return people.of_address(session, shop_id, email)


def opens(account: Account | None, password: str, shown: str = "") -> bool:
    """Whether the password fits and the account is not pausing. Takes as long whatever the answer; needs no session.

    A browser that shows the mark of the account does not wait: or else whoever guesses would lock out whose it is.
    """
    right = fits((account and account.password_hash) or nobodys(), password[:LONGEST])
    if account is None or not right:
        return False
    return account.locked_until is None or account.locked_until <= clock.now() or shown == mark(account)


def mark(account: Account) -> str:
    """Return what stays in a browser in which somebody has signed in, until all of their sessions are ended."""
    return digest(f"{account.account_id} {account.session_key}")


def note_success(session: Session, account: Account) -> None:
    if account.failures:
        session.execute(update(Account).where(*same(account)).values(failures=0, locked_until=None))


def note_failure(session: Session, account: Account | None) -> None:
    """Count a failure; from the fifth on the account pauses, each time for twice as long.

    Where there is no account the same statement is sent, and changes nothing: the time that it takes tells nothing.
    Whoever knocks while the door is closed does not keep it closed.
    """
    failures = account.failures + 1 if account else 0
    minutes = min(2 ** max(0, failures - FREE_FAILURES), LONGEST_PAUSE_MINUTES)
    pause = clock.now() + timedelta(minutes=minutes) if failures >= FREE_FAILURES else None
    open_now = or_(col(Account.locked_until).is_(None), col(Account.locked_until) <= clock.now())
    session.execute(
        update(Account)
        .where(*same(account), open_now)
        .values(failures=col(Account.failures) + 1, locked_until=pause)
        .execution_options(synchronize_session=False)
    )


def visiting(session: Session, shop_id: str, account_id: str, session_key: str) -> tuple[Shop, Account] | None:
    """Return the shop and the account that a session was begun for, if it has not been ended since."""
    account = session.get(Account, (shop_id, account_id))
    if account is None or not hmac.compare_digest(account.session_key.encode(), session_key.encode()):
        return None
    return shops.shop(session, shop_id), account


def same(account: Account | None) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    shop_id, account_id = (account.shop_id, account.account_id) if account else ("", "")
    return col(Account.shop_id) == shop_id, col(Account.account_id) == account_id
