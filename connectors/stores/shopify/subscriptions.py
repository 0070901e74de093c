"""Which webhooks a shop sends us: those that an app can ask for by the API."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.errors import ConfigurationError
from connectors.payload import Payload
from connectors.stores.shopify.graphql import Admin, block
from connectors.stores.shopify.records import READERS
from connectors.text import presentable

# Named in the app's own settings alone, never by the API.
COMPLIANCE = frozenset({"customers/data_request", "customers/redact", "shop/redact"})

SUBSCRIBED = """query Subscribed($after: String) {
  webhookSubscriptions(first: 100, after: $after) {
    nodes { topic uri }
    pageInfo { hasNextPage endCursor }
  }
}"""


def subscribe(admin: Admin, url: str) -> None:
    """Ask for each topic that is not sent to `url` yet, all in one request. ConfigurationError: some were refused."""
    there = {node.text("topic") for node in subscribed(admin) if node.text("uri") == url}
    wanted = {name(topic): topic for topic in sorted(READERS.keys() - COMPLIANCE)}
    if not (lacking := [each for each in wanted if each not in there]):
        return
    reply = admin.ask(document(lacking), {"uri": url})
    refused = []
    for each in lacking:
        payload = reply.data.object(each)
        if payload is None:
            refused.append(f"{wanted[each]} (not answered)")
        elif errors := payload.objects("userErrors"):
            refused.append(f"{wanted[each]} ({presentable(errors[0].text('message') or 'refused')})")
    if refused:
        raise ConfigurationError(f"shopify: not subscribed: {', '.join(refused)}")


def name(topic: str) -> str:
    """Return a topic as the API's enum names it: "customer.tags_added" is CUSTOMER_TAGS_ADDED."""
    return topic.replace("/", "_").replace(".", "_").upper()


def document(topics: list[str]) -> str:
    """Return the mutation that subscribes to all of these: the names are our own, the address is a variable."""
    fields = (
        f"{topic}: webhookSubscriptionCreate(topic: {topic}, webhookSubscription: {{uri: $uri}})"
        " { userErrors { field message } }"
        for topic in topics
    )
    return f"mutation Subscribe($uri: String!) {block(fields)}"


def subscribed(admin: Admin) -> Iterator[Payload]:
    after = None
    while True:
        data = admin.ask(SUBSCRIBED, {"after": after}).data
        page = data.required("webhookSubscriptions", data.object)
        yield from page.objects("nodes")
        pages = page.required("pageInfo", page.object)
        if not pages.flag("hasNextPage"):
            return
        after = pages.required("endCursor", pages.text)
