"""Which webhooks a shop sends us: those that an app can ask for by the API.

After eight failures in a row Shopify ends a subscription made by the API, and says so nowhere but by e-mail.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from connectors.errors import ConfigurationError
from connectors.payload import Payload
from connectors.phrases import joined, phrase
from connectors.sources import Repaired
from connectors.stores.shopify.graphql import Admin, Reply, block, why
from connectors.stores.shopify.records import READERS

# Named in the app's own settings alone, never by the API.
COMPLIANCE = frozenset({"customers/data_request", "customers/redact", "shop/redact"})
# What the app can do without: the scope of the first is one that few merchants grant.
OPTIONAL = frozenset({"customers/merge", "customers/purchasing_summary", "app/scopes_update", "bulk_operations/finish"})
WITH_FIELDS = ("customers/create", "customers/update")  # topics that carry metafields, of namespaces that are asked for
ENDED_AT_ONCE = 50  # mutations of ten points each: half of what a request may cost

SUBSCRIBED = """query Subscribed($after: String) {
  webhookSubscriptions(first: 100, after: $after) {
    nodes { id topic uri metafieldNamespaces }
    pageInfo { hasNextPage endCursor }
  }
}"""


def subscribe(admin: Admin, url: str) -> None:
    """Ask for each topic that is not sent to `url` yet, all in one request. ConfigurationError: some were refused."""
    refused = ask_for(admin, url, lacking(list(subscribed(admin)), url))
    if needed := [one for topic, one in refused.items() if topic not in OPTIONAL]:
        raise ConfigurationError(phrase("shopify: not subscribed: %(needed)s", needed=joined(", ", needed)))


def repair(admin: Admin, url: str, ours: str, namespaces: Sequence[str] = ()) -> Repaired:
    """Ask for what is missing at `url`, metafields in these namespaces included; end what is sent to other addresses of
    ours, or of topics we read no more."""
    there = list(subscribed(admin))
    missing = lacking(there, url)
    refused = ask_for(admin, url, missing, namespaces)
    without = {
        node.required("topic", node.text): node.required("id", node.text)
        for node in there
        if node.text("uri") == url and not set(namespaces) <= set(node.texts("metafieldNamespaces"))
    }
    widened = {topic: without[name(topic)] for topic in WITH_FIELDS if name(topic) in without}
    refused |= widen(admin, widened, namespaces)
    used = {name(topic) for topic in wanted()}
    stale = [
        node.required("id", node.text)
        for node in there
        if (node.text("uri") or "").startswith(ours) and (node.text("uri") != url or node.text("topic") not in used)
    ]
    for at in range(0, len(stale), ENDED_AT_ONCE):
        end(admin, stale[at : at + ENDED_AT_ONCE])
    added = tuple(topic for topic in missing if topic not in refused)
    return Repaired(added, len(stale), tuple(refused.values()))


def wanted() -> list[str]:
    return sorted(READERS.keys() - COMPLIANCE)


def lacking(there: Sequence[Payload], url: str) -> list[str]:
    sent = {node.text("topic") for node in there if node.text("uri") == url}
    return [topic for topic in wanted() if name(topic) not in sent]


def ask_for(admin: Admin, url: str, topics: Sequence[str], namespaces: Sequence[str] = ()) -> dict[str, str]:
    """Subscribe to these; return those that are refused, each with its reason."""
    if not topics:
        return {}
    carrying = namespaces and not set(topics).isdisjoint(WITH_FIELDS)
    variables = {"uri": url} | ({"namespaces": list(namespaces)} if carrying else {})
    return refusals(admin.ask(document(topics, fields=bool(carrying)), variables), topics)


def widen(admin: Admin, known: Mapping[str, str], namespaces: Sequence[str]) -> dict[str, str]:
    """Have metafields in these namespaces come with what is subscribed, by topic and id; return what is refused."""
    if not known:
        return {}
    fields = (
        f"{name(topic)}: webhookSubscriptionUpdate(id: $id{at}, "
        f"webhookSubscription: {{metafieldNamespaces: $namespaces}}) {{ {ERRORS} }}"
        for at, topic in enumerate(known)
    )
    declared = "".join(f", $id{at}: ID!" for at in range(len(known)))
    ids = {f"id{at}": one for at, one in enumerate(known.values())}
    query = f"mutation Widen($namespaces: [String!]{declared}) {block(fields)}"
    return refusals(admin.ask(query, {"namespaces": list(namespaces)} | ids), known)


def refusals(reply: Reply, topics: Iterable[str]) -> dict[str, str]:
    reasons = {topic: refusal(reply, name(topic)) for topic in topics}
    return {topic: phrase("%(topic)s (%(why)s)", topic=topic, why=one) for topic, one in reasons.items() if one}


def refusal(reply: Reply, field: str) -> str | None:
    payload = reply.data.object(field)
    if payload is None:
        return next((each.message for each in reply.troubles if each.alias == field), phrase("not answered"))
    errors = payload.objects("userErrors")
    return why(errors[0]) if errors else None


def end(admin: Admin, ids: Sequence[str]) -> None:
    """End subscriptions. One that is not there any more needs no ending."""
    admin.ask(ending(len(ids)), {f"id{at}": one for at, one in enumerate(ids)})


ERRORS = "userErrors { field message }"


def ending(count: int) -> str:
    declared = ", ".join(f"$id{at}: ID!" for at in range(count))
    fields = (f"end{at}: webhookSubscriptionDelete(id: $id{at}) {{ {ERRORS} }}" for at in range(count))
    return f"mutation End({declared}) {block(fields)}"


def name(topic: str) -> str:
    """Return a topic as the API's enum names it: "customer.tags_added" is CUSTOMER_TAGS_ADDED."""
    return topic.replace("/", "_").replace(".", "_").upper()


def document(topics: Sequence[str], *, fields: bool = False) -> str:
    """Return the mutation that subscribes to all of these, with metafields where they have some: the names are our own,
    the address and the namespaces are variables."""

    def create(topic: str) -> str:
        more = ", metafieldNamespaces: $namespaces" if fields and topic in WITH_FIELDS else ""
        wanted = f"topic: {name(topic)}, webhookSubscription: {{uri: $uri{more}}}"
        return f"{name(topic)}: webhookSubscriptionCreate({wanted}) {{ {ERRORS} }}"

    declared = "$uri: String!" + (", $namespaces: [String!]" if fields else "")
    return f"mutation Subscribe({declared}) {block(map(create, topics))}"


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
