"""What an event looks like as it is sent: what each kind carries, and how it becomes a record."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from connectors.records import Event
from plugin import clock
from plugin.db import clean
from plugin.segments.language.schema import DECIMALS

SKEW = timedelta(minutes=5)  # so far their clock may be ahead of ours
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LONGEST = 1000
LARGEST = 2**63

Kind = Literal[
    "product_viewed",
    "collection_viewed",
    "page_viewed",
    "searched",
    "form_submitted",
    "link_clicked",
    "call_received",
    "survey_answered",
    "event",
]


def cleaned(value: Any) -> Any:
    return clean(value).strip() if isinstance(value, str) else value


def id_text(value: Any) -> Any:
    """Return an id as text: platforms write them as numbers."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else cleaned(value)


def plain(value: Any) -> Any:
    """Return a property's value as it can be kept: one that JSON has, that is no list of others, and not too large."""
    small = (
        abs(value) < LARGEST
        if isinstance(value, int | float)
        else len(value) <= LONGEST
        if isinstance(value, str)
        else value is None
    )
    if not small:
        raise ValueError(f"a property is a text of at most {LONGEST} characters, a number, true, false or null")
    return cleaned(value)


Id = Annotated[str, BeforeValidator(id_text), StringConstraints(min_length=1, max_length=200)]
Text = Annotated[str, BeforeValidator(cleaned), StringConstraints(min_length=1, max_length=LONGEST)]
Email = Annotated[str, BeforeValidator(cleaned), StringConstraints(max_length=320, pattern=r"^[^@\s]+@[^@\s]+$")]
Score = Annotated[Decimal, Field(ge=-1_000_000, le=1_000_000, decimal_places=DECIMALS)]
Free = dict[
    Annotated[str, BeforeValidator(cleaned), StringConstraints(max_length=100)], Annotated[Any, BeforeValidator(plain)]
]


class Strict(BaseModel):
    """What is told is taken as it is written, or refused: nothing is turned into something else, or left out."""

    model_config = ConfigDict(extra="forbid")


class Properties(Strict):
    """What events of a kind carry, under the names that the record has for it."""


class Product(Properties):
    subject_id: Id = Field(alias="product_id")
    tags: list[Text] | None = Field(None, max_length=250)


class Collection(Properties):
    subject_id: Id = Field(alias="collection_id")
    tags: list[Text] | None = Field(None, max_length=250)


class Page(Properties):
    subject: Text = Field(alias="url")


class Search(Properties):
    subject: Text = Field(alias="query")


class Form(Properties):
    subject: Text = Field(alias="form")


class Link(Properties):
    subject: Text = Field(alias="link")


class Answer(Properties):
    """`nps` and `csat` are the surveys whose scores have names of their own in the language."""

    subject: Text = Field(alias="survey")
    question: Text | None = None
    answer: Text | None = None
    score: Score | None = None

    @model_validator(mode="after")
    def within_scale(self) -> Answer:
        scale = SCALES.get(self.subject)
        if scale and self.score is not None and self.score not in scale:
            raise ValueError(f"a score of {self.subject} is a whole number from {scale[0]} to {scale[-1]}")
        return self


SCALES: Mapping[str, range] = {"nps": range(11), "csat": range(1, 6)}
CARRIED: Mapping[str, type[Properties] | None] = {
    "product_viewed": Product,
    "collection_viewed": Collection,
    "page_viewed": Page,
    "searched": Search,
    "form_submitted": Form,
    "link_clicked": Link,
    "survey_answered": Answer,
    "call_received": None,  # whatever their system says of it
    "event": None,
}


class Who(Strict):
    id: Id | None = None
    email: Email | None = None

    @model_validator(mode="after")
    def somebody(self) -> Who:
        if self.id is None and self.email is None:
            raise ValueError("a customer is named by id or by e-mail address")
        return self


class SentEvent(Strict):
    """One event as it is sent. `name` is that of an event of the kind `event`."""

    id: Id
    customer: Who
    kind: Kind
    name: Text | None = None
    at: AwareDatetime
    properties: dict[str, Any] = Field(default_factory=dict, max_length=20)


class Others(Strict):
    """Properties that are the source's own."""

    properties: Free


class RefusedError(ValueError):
    """An event cannot be taken: by which code, at which field, and why. The text repeats nothing of it."""

    def __init__(self, code: str, field: str, message: str) -> None:
        super().__init__(message)
        self.code, self.field = code, field


def read(told: Any, source: str) -> Event:
    """Return an event as a record. RefusedError."""
    try:
        one = SentEvent.model_validate(told)
        carried = CARRIED[one.kind]
        if carried is None:
            own = Others.model_validate({"properties": one.properties}).properties
            more: dict[str, Any] = {"properties": own or None}
        else:
            more = within("properties", carried, one.properties)
    except ValidationError as error:
        raise refused(error) from None
    if (one.kind == "event") != (one.name is not None):
        wanted = "needs a name" if one.name is None else "has none"
        raise RefusedError("invalid", "name", f"{one.kind} {wanted}")
    given: dict[str, Any] = {"subject": one.name} if one.name else {}
    who = one.customer
    return Event(one.id, one.kind, timely(one.at), who.id, who.email, source, **given, **more)


def timely(at: datetime) -> datetime:
    """Return when something was. RefusedError: it cannot have been."""
    if not EARLIEST <= at <= clock.now() + SKEW:
        raise RefusedError("out_of_time", "at", "at lies before 2000 or in the future")
    return at.astimezone(UTC)


def within(field: str, model: type[Properties], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a model reads, its faults placed within a field."""
    try:
        return model.model_validate(given).model_dump(exclude_none=True)
    except ValidationError as error:
        raise refused(error, field) from None


def refused(error: ValidationError, *within: str) -> RefusedError:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part) for part in (*within, *first["loc"]))
    return RefusedError("invalid", place, first["msg"].removeprefix("Value error, "))
