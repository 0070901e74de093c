"""What accounts do, what people decide, and what becomes of products."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from connectors.records import (
    UNSET,
    Attribute,
    AttributeValue,
    Channel,
    Consent,
    Customer,
    Deleted,
    Event,
    EventKind,
    Product,
    Rating,
    Record,
    TagsChanged,
)
from tests.story.teller import (
    ACCOUNT_STATES,
    AGENTS,
    CATEGORIES,
    COLLECTIONS,
    FORMS,
    GROUPS,
    LANGUAGES,
    MAILBOXES,
    NAMES,
    OWN,
    PLACES,
    PLACES_SEEN,
    PRODUCTS,
    SEARCHES,
    STATES,
    SURVEYS,
    TAGS,
    TIERS,
    TYPES,
    VENDORS,
    Account,
    Story,
)
from tests.worlds import address

SCORES = (None, *map(Decimal, ("0", "1", "5", "6", "7", "8.5", "9", "10")))
# What is told of each kind of doing; a survey's answers most often.
DOINGS: tuple[tuple[EventKind, dict[str, tuple[Any, ...]]], ...] = (
    *[
        (
            "survey_answered",
            {"subject": SURVEYS, "question": ("Why?", None), "answer": ("yes", "no", None), "score": SCORES},
        )
    ]
    * 4,
    ("page_viewed", {"subject": PLACES_SEEN}),
    ("searched", {"subject": SEARCHES}),
    ("form_submitted", {"subject": FORMS}),
    ("link_clicked", {"subject": PLACES_SEEN}),
    ("call_received", {"properties": (None, {"topic": "delivery"})}),
    *[("event", {"subject": NAMES})] * 2,
    ("product_viewed", {"subject_id": PRODUCTS, "tags": (None, (), TAGS[:1])}),
    ("collection_viewed", {"subject_id": PRODUCTS, "tags": (None, TAGS[:3])}),
    *[("email.opened", {"subject_id": PRODUCTS, "machine": (False, False, True)})] * 2,
    ("email.clicked", {"subject_id": PRODUCTS, "subject": PLACES_SEEN, "machine": (False, False, True)}),
    *[
        (kind, {"subject_id": PRODUCTS})
        for kind in ("email.delivered", "email.bounced", "email.unsubscribed", "email.marked_as_spam")
    ],
)


def opened(story: Story) -> list[Record]:
    created_at = story.when()
    account = Account(Customer(story.new_id(), story.untaken("account", created_at)))
    story.accounts.append(account)
    if story.chance(10):
        return [account.profile]
    account.profile = replace(account.profile, created_at=created_at)
    return changed(story, account)


def edited(story: Story) -> list[Record]:
    """An account changes, or comes back after it was deleted."""
    account = story.account(lambda one: one.full, deleted=story.chance(50))
    return changed(story, account) if account else []


def changed(story: Story, account: Account) -> list[Record]:
    """Tell a newer profile, with or without language and addresses."""
    free = [one for one in MAILBOXES if story.contested or (story.owner(one) or account) is account]
    account.profile = replace(
        account.profile,
        updated_at=story.untaken("account", story.after(account.profile.updated_at)),
        email=story.written(story.one(free)) if free and story.chance(60) else account.email,
        first_name="Ada",
        last_name=None,
        phone=None,
        language=story.one(LANGUAGES) if story.chance(50) else UNSET,
        addresses=story.some(PLACES, (0, 1, 2)) if story.chance(50) else UNSET,
        account_status=story.one(ACCOUNT_STATES) if story.chance(50) else UNSET,
    )
    account.deleted = False
    if account.email:
        claim = (account.profile.updated_at, account)
        story.claims[address(account.email)] = max(
            claim, story.claims.get(address(account.email), claim), key=moment_of
        )
    return [account.profile]


def moment_of(claim: tuple[datetime, Account]) -> datetime:
    return claim[0]


def closed(story: Story) -> list[Record]:
    account = story.account(lambda one: one.full)
    if account is None or not story.chance(40):
        return []
    deleted_at = story.after(account.profile.updated_at)
    account.profile, account.deleted = replace(account.profile, updated_at=deleted_at), True
    return [Deleted("customer", account.profile.customer_id, deleted_at)]


def decided(story: Story) -> list[Record]:
    """Somebody says whether we may write; now and then something else at the same moment."""
    account = story.account() if story.chance(60) else None
    channel: Channel = "email" if story.chance(70) else "sms"
    consent = Consent(
        channel=channel,
        state=story.one(STATES if channel == "email" else STATES[:-1]),
        changed_at=story.when(),
        customer_id=account.profile.customer_id if account else None,
        email=None if account else story.mailbox(),
    )
    if not (account or consent.email):
        return []
    return [consent, replace(consent, state=story.one(STATES[:-1]))] if story.chance(20) else [consent]


def tagged(story: Story) -> list[Record]:
    account = story.account()
    if account is None:
        return []
    added, removed = story.some(TAGS, (0, 1, 2)), story.some(TAGS, (0, 0, 1))
    if not (added or removed):
        return []
    return [TagsChanged(account.profile.customer_id, story.when(), added, removed)]


def rated(story: Story) -> list[Record]:
    """The store changes its mind about somebody, never back to what it thought before."""
    account = story.account(lambda one: one.ratings < len(GROUPS))
    if account is None or (account.profile.customer_id, story.now) in story.taken:
        return []
    story.taken.add((account.profile.customer_id, story.now))
    account.ratings += 1
    return [Rating(account.profile.customer_id, story.now, GROUPS[account.ratings - 1], story.one(TIERS))]


def viewed(story: Story) -> list[Record]:
    """Somebody looks at things, now and then at the same again."""
    account = story.account()
    if account is None:
        return []
    kind = story.one(("product_viewed", "product_viewed", "collection_viewed"))
    told = {"source": "pixel", "subject_id": story.one(PRODUCTS), "user_agent": story.one(AGENTS)}
    at = story.when()
    return [
        Event(f"event-{story.new_id()}", kind, at, account.profile.customer_id, **told)
        for _ in range(story.one((1, 1, 2, 3)))
    ]


def noted(story: Story) -> list[Record]:
    """The merchant learns something of somebody, or that it is so no more; now and then twice at one moment."""
    account = story.account() if story.chance(60) else None
    email = None if account else story.mailbox()
    if not (account or email):
        return []
    key = story.one(tuple(OWN))
    customer_id = account.profile.customer_id if account else None
    told = Attribute(key, own_value(story, key), story.when(), customer_id, email, source="api")
    if key == "interests" or not story.chance(20):
        moment = story.untaken(f"attribute {key}", told.changed_at) if key == "interests" else told.changed_at
        return [replace(told, changed_at=moment)]
    return [told, replace(told, value=own_value(story, key))]


def own_value(story: Story, key: str) -> AttributeValue | None:
    if story.chance(15):
        return None
    if key != "facts.birth_date":
        return story.one(OWN[key])
    day = story.one((story.night, story.now.date())) + timedelta(days=story.one((-31, -30, -7, -1, 0, 1, 2, 7, 30)))
    year = day.year - story.one((0, 1, 17, 18, 19, 30))
    day = story.one((day, day, date(day.year, 2, 28), date(2000, 2, 29)))
    return day.replace(year=year, day=min(day.day, monthrange(year, day.month)[1]))


def did(story: Story) -> list[Record]:
    """Another system tells what somebody did: by id or address; now and then two answers at one moment."""
    account = story.account() if story.chance(60) else None
    customer_id, email = (account.profile.customer_id, None) if account else (None, story.mailbox())
    if not (customer_id or email):
        return []
    kind, about = story.one(DOINGS)
    told = {name: story.one(values) for name, values in about.items()}
    event = Event(f"told-{story.new_id()}", kind, story.when(), customer_id, email, "calls", **told)
    again = story.chance(20) and kind == "survey_answered"
    return [event, replace(event, event_id=f"told-{story.new_id()}", score=story.one(SCORES))] if again else [event]


def described(story: Story) -> list[Record]:
    product_id = story.one(PRODUCTS)
    if story.chance(5):
        return [Deleted("product", product_id, story.when())]
    updated_at = story.untaken(f"product {product_id}", story.when())
    category_id, category = story.one(CATEGORIES)
    return [
        Product(
            product_id,
            updated_at,
            vendor=story.one(VENDORS),
            product_type=story.one(TYPES),
            tags=story.some(TAGS, (0, 1, 2)),
            category=category,
            category_id=category_id,
            collections=story.some(COLLECTIONS, (0, 1, 2)) if story.chance(50) else UNSET,
        )
    ]
