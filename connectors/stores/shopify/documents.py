"""What is asked of Shopify about a shop's past. Names that need an approval of their own can be left out.

Bulk queries take no variables, at most five connections two deep, and none within a list: so the lines of refunds are
asked for by themselves. https://shopify.dev/docs/api/usage/bulk-operations/queries#operation-restrictions
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

MONEY = "{ shopMoney { amount currencyCode } }"
PLACE = "{ countryCodeV2 provinceCode city zip latitude longitude timeZone }"

FIELD = "{ namespace key type value updatedAt definition { name } }"


@dataclass(frozen=True)
class Question:
    """How a kind is asked for: the connection, what it is counted by, its fields, and those about persons."""

    connection: str
    count: str
    fields: str
    personal: str = ""
    nested: str = ""
    personal_nested: bool = False

    def query(self, since: datetime | None, *, personal: bool) -> str:
        """Return the bulk query for all of the kind, or what changed since."""
        wanted = [self.fields, *([self.personal] if personal and self.personal else [])]
        if self.nested and (personal or not self.personal_nested):
            wanted.append(self.nested)
        arguments = f'(query: "{changed(since)}")' if since else ""
        return f"{{ {self.connection}{arguments} {{ edges {{ node {{ {' '.join(wanted)} }} }} }} }}"

    def grouped(self, *, personal: bool) -> bool:
        return bool(self.nested) and (personal or not self.personal_nested)


def changed(since: datetime) -> str:
    return f"updated_at:>='{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}'"


LINE = (
    "id title quantity currentQuantity sku vendor product { id } variant { id }"
    f" originalUnitPriceSet {MONEY} totalDiscountSet {MONEY}"
)

QUESTIONS: Mapping[str, Question] = {
    "products": Question(
        connection="products",
        count="productsCount",
        fields="id updatedAt title vendor productType category { id fullName } tags",
        nested="collections { edges { node { id } } }",
    ),
    "customers": Question(
        connection="customers",
        count="customersCount",
        fields="id createdAt updatedAt locale state tags",
        personal=(
            "firstName lastName"
            " defaultEmailAddress { emailAddress marketingState marketingUpdatedAt }"
            " defaultPhoneNumber { phoneNumber smsMarketingConsent { state updatedAt } }"
            f" defaultAddress {PLACE}"
        ),
        nested=f"addressesV2 {{ edges {{ node {PLACE} }} }} metafields {{ edges {{ node {FIELD} }} }}",
        personal_nested=True,
    ),
    "orders": Question(
        connection="orders",
        count="ordersCount",
        fields=(
            "id name createdAt updatedAt cancelledAt test displayFinancialStatus sourceName currencyCode discountCodes"
            " customerAcceptsMarketing cartToken checkoutToken"
            f" app {{ id }} totalPriceSet {MONEY} totalDiscountsSet {MONEY}"
            " customer { id createdAt updatedAt } refunds { id }"
            " customerJourneySummary { firstVisit { landingPage referrerUrl } }"
        ),
        personal=f"email billingAddress {PLACE} shippingAddress {PLACE}",
        nested=f"lineItems {{ edges {{ node {{ {LINE} }} }} }}",
    ),
    "checkouts": Question(
        connection="abandonedCheckouts",
        count="abandonedCheckoutsCount",
        fields=(
            f"id createdAt updatedAt completedAt abandonedCheckoutUrl totalPriceSet {MONEY}"
            " customer { id createdAt updatedAt }"
        ),
        nested="lineItems { edges { node { id product { id } } } }",
    ),
}

GIVEN_BACK = (
    "refundLineItems(first: 25) { nodes { quantity lineItem { id } } pageInfo { hasNextPage endCursor } }"
    f" transactions(first: 10) {{ nodes {{ kind status amountSet {MONEY} }} }}"
)
REFUNDS = f"""query Refunds($ids: [ID!]!) {{
  nodes(ids: $ids) {{ ... on Order {{ id refunds {{ id createdAt processedAt {GIVEN_BACK} }} }} }}
}}"""
MORE_LINES = """query MoreLines($id: ID!, $after: String) {
  refund(id: $id) { refundLineItems(first: 250, after: $after) {
    nodes { quantity lineItem { id } }
    pageInfo { hasNextPage endCursor }
  } }
}"""

PRESENT = "query Present($ids: [ID!]!) { nodes(ids: $ids) { id } }"
COUNTS = """query Counts {
  customersCount(limit: null) { count }
  ordersCount(limit: null) { count }
}"""
SCOPES = "query Scopes { currentAppInstallation { accessScopes { handle } } }"


def counting(question: Question, since: datetime | None) -> str:
    """Return the query for how many there are."""
    search = f', query: "{changed(since)}"' if since else ""
    return f"query Count {{ {question.count}(limit: null{search}) {{ count }} }}"
