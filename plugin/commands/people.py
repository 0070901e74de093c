"""Commands about people: who may look at a shop's pages and do what, links by which they come in, sessions ended."""

from __future__ import annotations

import argparse

from sqlmodel import Session

from plugin import people, shops
from plugin.commands.base import FailedError, Subparsers, WrongUseError, by, command, engine, group, shop_option
from plugin.config import settings
from plugin.db import reading, transaction
from plugin.models.shops import Account


def add(commands: Subparsers) -> None:
    inside = group(commands, "people", "the people of a shop, and what each may do")
    shop_option(command(inside, "list", list_people, "list who may look at a shop's pages"))
    inviting = command(inside, "invite", invite, "print a link by which somebody sets a password, also a forgotten one")
    shop_option(inviting)
    inviting.add_argument("email", help="their address; of whoever is there already, and keeps their role, also the id")
    inviting.add_argument("--role", choices=people.ROLES, default=people.ROLES[0], help="default: %(default)s")
    changing = command(inside, "role", change_role, "let somebody do more or less")
    person(changing)
    changing.add_argument("role", choices=people.ROLES)
    person(command(inside, "remove", remove, "let somebody in no longer"))
    person(command(inside, "end-sessions", end_sessions, "sign somebody out everywhere"))


def person(made: argparse.ArgumentParser) -> None:
    shop_option(made)
    made.add_argument("person", help="an e-mail address, or an id as listed")


def list_people(given: argparse.Namespace) -> None:
    with reading(engine()) as session:
        for one in people.all_of(session, shops.by_name(session, given.shop).shop_id):
            print(f"{one.account_id}\t{one.email or '-'}\t{one.role}\t{'in' if one.password_hash else 'invited'}")


def invite(given: argparse.Namespace) -> None:
    with transaction(engine()) as session:
        shop = shops.by_name(session, given.shop)
        account = people.named(session, shop.shop_id, given.email)
        try:
            code = people.renew_link(session, account, by=by()) if account else invited(session, shop.shop_id, given)
        except people.RefusedError as error:
            raise WrongUseError(str(error)) from error
    print(f"{settings().public_url}/setup?code={code}")


def invited(session: Session, shop_id: str, given: argparse.Namespace) -> str:
    return people.invite(session, shop_id, given.email, given.role, by=by())[1]


def change_role(given: argparse.Namespace) -> None:
    with transaction(engine()) as session:
        account = known(session, given)
        try:
            people.change_role(session, account, given.role, by=by())
        except people.LastOwnerError as error:
            raise FailedError("the last owner stays one: make somebody else an owner first") from error
    print(f"{given.person}\t{given.role}")


def remove(given: argparse.Namespace) -> None:
    with transaction(engine()) as session:
        account = known(session, given)
        try:
            people.remove(session, account, by=by())
        except people.LastOwnerError as error:
            raise FailedError("the last owner stays: make somebody else an owner first") from error
    print(f"{given.person}\tremoved")


def end_sessions(given: argparse.Namespace) -> None:
    with transaction(engine()) as session:
        people.end_sessions(session, known(session, given), by=by())
    print(f"{given.person}\tsigned out everywhere")


def known(session: Session, given: argparse.Namespace) -> Account:
    shop = shops.by_name(session, given.shop)
    found = people.named(session, shop.shop_id, given.person)
    if found is None:
        raise FailedError("nobody is known by this address or id")
    return found
