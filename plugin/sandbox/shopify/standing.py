"""How customers' subscriptions, companies and store credit look as GraphQL objects, and who has store credit."""

from __future__ import annotations

from itertools import islice
from typing import Any

from graphql import GraphQLError

from plugin.sandbox import records
from plugin.sandbox.model import CreditAccount, CreditMove, Customer
from plugin.sandbox.payloads import gid, money
from plugin.sandbox.state import State

from .paging import decoded, encoded, page_size

Node = dict[str, Any]


def named(customer: Customer) -> Node:
    """Return the fields of a customer that tell of it, but for the accounts, which are a connection."""
    standing = customer.get("standing")
    companies = standing["companies"] if standing else []
    return {
        "productSubscriberStatus": standing["subscriber"] if standing else "NEVER_SUBSCRIBED",
        "companyContactProfiles": [contact(customer, company) for company in companies],
    }


def contact(customer: Customer, company: int) -> Node:
    node = {"__typename": "Company", "id": gid("Company", company), "name": f"Company {company}"}
    return {"__typename": "CompanyContact", "id": gid("CompanyContact", customer["id"]), "company": node}


def accounts(customer: Customer) -> list[CreditAccount]:
    standing = customer.get("standing")
    return standing["credit"] if standing else []


def amount(account: CreditAccount, minor: int) -> Node:
    return {"amount": money(minor), "currencyCode": account["currency"]}


def move(account: CreditAccount, number: int, one: CreditMove) -> Node:
    kind = "Credit" if one["amount_minor"] > 0 else "Debit"
    name = f"StoreCreditAccount{kind}Transaction"
    balance = sum(before["amount_minor"] for before in account["moves"][: number + 1])
    told: Node = {
        "__typename": name,
        "id": gid(name, account["id"] + number),
        "createdAt": one["at"],
        "amount": amount(account, one["amount_minor"]),
        "balanceAfterTransaction": amount(account, balance),
    }
    if kind == "Credit":
        told |= {"expiresAt": one["expires_at"], "remainingAmount": amount(account, one["remaining_minor"])}
    return told


def members(state: State, query: str | None, first: int | None, after: str | None) -> Node:
    """Return who has store credit: of segments' queries this one alone is known here."""
    if not (query or "").startswith("store_credit_accounts MATCHES"):
        raise GraphQLError(f"Query is not known here: {query}")
    count, before = page_size(first), decoded(after)
    start = int(before[0]) if before else 0
    holders = (one for one in records.customers(state) if accounts(one))
    found = list(islice(holders, start, start + count + 1))
    edges = [
        {"cursor": encoded([str(start + number)]), "node": {"id": gid("CustomerSegmentMember", one["id"])}}
        for number, one in enumerate(found[:count], 1)
    ]
    ends = {"startCursor": edges[0]["cursor"], "endCursor": edges[-1]["cursor"]} if edges else {}
    pages = {"hasNextPage": len(found) > count, "hasPreviousPage": bool(after), **ends}
    total = sum(bool(accounts(one)) for one in records.customers(state))
    return {"edges": edges, "pageInfo": pages, "totalCount": total}
