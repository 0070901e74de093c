"""Store credit: who has an account is what Shopify's own segments say, what moved it are its transactions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from connectors.payload import Payload
from connectors.records import CreditMove, StoreCredit
from connectors.sources import Rated
from connectors.stores.shopify.customers import GID, global_id
from connectors.stores.shopify.graphql import Admin

PEOPLE = 20
ACCOUNTS = 5  # of a customer: one for each currency
MEMBER = "gid://shopify/CustomerSegmentMember/"
MOVES = 100  # three points each, well below the thousand that a request may cost

WHO = """query Credited($after: String, $first: Int!) {
  customerSegmentMembers(query: "store_credit_accounts MATCHES (balance >= 0)", first: $first, after: $after) {
    edges { node { id } }
    pageInfo { hasNextPage endCursor }
  }
}"""
HELD = f"""query Credit($ids: [ID!]!) {{
  nodes(ids: $ids) {{ ... on Customer {{
    id storeCreditAccounts(first: {ACCOUNTS}) {{ nodes {{ id balance {{ amount currencyCode }} }} }}
  }} }}
}}"""
MOVED = f"""query CreditMoves($id: ID!, $after: String) {{
  node(id: $id) {{ ... on StoreCreditAccount {{
    transactions(first: {MOVES}, after: $after, sortKey: CREATED_AT) {{
      nodes {{
        createdAt amount {{ amount }} balanceAfterTransaction {{ amount }}
        ... on StoreCreditAccountCreditTransaction {{ id expiresAt remainingAmount {{ amount }} }}
      }}
      pageInfo {{ hasNextPage endCursor }}
    }}
  }} }}
}}"""


def page(admin: Admin, after: str | None, at: datetime) -> Rated:
    """Return the accounts of the next few customers. ConfigurationError: they are kept from the app."""
    reply = admin.ask(WHO, {"after": after, "first": PEOPLE})
    found = reply.data.required("customerSegmentMembers", reply.data.object)
    pages = found.required("pageInfo", found.object)
    members = [node for edge in found.objects("edges") if (node := edge.object("node"))]
    ids = [number(member, MEMBER) for member in members]
    records = tuple(accounts(admin, [GID + one for one in ids], at)) if ids else ()
    following = pages.required("endCursor", pages.text) if pages.flag("hasNextPage") else None
    return Rated(records, following, reply.available, supplied=frozenset({"store_credit"}))


def number(data: Payload, prefix: str) -> str:
    return data.required("id", lambda key: global_id(data, key, prefix))


def accounts(admin: Admin, customers: list[str], at: datetime) -> Iterator[StoreCredit]:
    reply = admin.ask(HELD, {"ids": customers})
    for trouble in reply.troubles:
        if not trouble.is_missing:
            raise trouble.error
    each = reply.data.items("nodes")
    for customer in filter(None, map(each.object, each.data)):
        held = customer.required("storeCreditAccounts", customer.object)
        for account in held.objects("nodes"):
            balance = account.required("balance", account.object)
            currency = balance.required("currencyCode", balance.currency)
            account_id = account.required("id", account.text)
            yield StoreCredit(
                account_id=account_id.rpartition("/")[2],
                customer_id=number(customer, GID),
                told_at=at,
                currency=currency,
                balance_minor=minor(account, "balance", currency),
                moves=tuple(moves(admin, account_id, currency)),
            )


def moves(admin: Admin, account: str, currency: str) -> Iterator[CreditMove]:
    """Yield all that ever changed an account, oldest first."""
    after: str | None = None
    while True:
        data = admin.ask(MOVED, {"id": account, "after": after}).data
        found = data.object("node")
        if found is None:
            return
        moved = found.required("transactions", found.object)
        for one in moved.objects("nodes"):
            yield move(one, currency)
        pages = moved.required("pageInfo", moved.object)
        if not pages.flag("hasNextPage"):
            return
        after = pages.required("endCursor", pages.text)


def move(data: Payload, currency: str) -> CreditMove:
    granted = "remainingAmount" in data.data
    return CreditMove(
        moved_at=data.required("createdAt", data.time),
        amount_minor=minor(data, "amount", currency),
        balance_minor=minor(data, "balanceAfterTransaction", currency),
        granted=granted,
        expires_at=data.time("expiresAt"),
        remaining_minor=minor(data, "remainingAmount", currency) if granted else 0,
    )


def minor(data: Payload, key: str, currency: str) -> int:
    money = data.required(key, data.object)
    return data.minor_of(key, money.amount("amount") or Decimal(0), currency)
