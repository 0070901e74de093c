"""What a name of the segment language can be: its type, the type's operators, and the rows of the table in `fields`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal


class Type(StrEnum):
    """The type of a name's values, in the words a merchant is shown."""

    DATE = "a date"
    INTEGER = "a whole number"
    DECIMAL = "a number"
    MONEY = "an amount of money"
    ID = "an id"
    STRING = "a text"
    ENUM = "one of a few words"
    LIST = "a list of texts"
    ID_LIST = "a list of ids"
    MEMBER = "one text of a list"  # `tag` of a product: = and != ask about one value of a list, compared without case
    BOOLEAN = "true or false"
    COORDINATES = "a pair of coordinates"
    UNDEFINED = "of a type its definition gives"  # metafields and attributes: the merchant's definition says which


DECIMALS = 4  # of a number that is not whole: it is kept in ten-thousandths

EQUALITY = frozenset({"=", "!="})
COMPARISONS = EQUALITY | {">", ">=", "<", "<="}
ORDERED = COMPARISONS | {"BETWEEN", "IS NULL"}
LISTS = frozenset({"CONTAINS", "IS NULL"})

# NOT CONTAINS, NOT IN, NOT STARTS WITH and IS NOT NULL are allowed where the plain form is.
OPERATORS: Mapping[Type, frozenset[str]] = {
    Type.DATE: ORDERED,
    Type.INTEGER: ORDERED,
    Type.DECIMAL: ORDERED,
    Type.MONEY: ORDERED,
    Type.ID: EQUALITY | {"IN", "IS NULL"},
    Type.STRING: EQUALITY | {"IN", "STARTS WITH", "IS NULL"},
    Type.ENUM: EQUALITY | {"IN", "IS NULL"},
    Type.LIST: LISTS,
    Type.ID_LIST: LISTS,
    Type.MEMBER: EQUALITY | {"IN"},
    Type.BOOLEAN: EQUALITY,
    Type.COORDINATES: frozenset({"="}),
    Type.UNDEFINED: ORDERED | {"IN", "CONTAINS", "STARTS WITH"},
}
IN_PARAMETERS = COMPARISONS | {"BETWEEN", "IN"}  # inside MATCHES (…) the grammar has no other

CHOSEN = {Type.STRING, Type.ENUM, Type.LIST, Type.ID, Type.ID_LIST, Type.MEMBER}  # of which a shop has its own values

# What the editor offers as a value where a row of the table has nothing better.
EXAMPLES: Mapping[Type, tuple[str, ...]] = {
    Type.DATE: ("today", "-7d", "-30d", "-90d", "-12m"),
    Type.INTEGER: ("1", "2", "5", "10"),
    Type.DECIMAL: ("0.5", "1", "2.5"),
    Type.MONEY: ("50", "100", "500"),
    Type.BOOLEAN: ("true", "false"),
}


class _Named:
    """What an attribute and a parameter have in common."""

    type: Type
    column: str | None
    values: tuple[str, ...]
    examples: tuple[str, ...]
    supplied_by: str
    needs: str
    codes: str

    @property
    def available(self) -> bool:
        """Whether anything supplies it: a row without a column is known to the language and to nothing else."""
        return self.column is not None

    @property
    def suggestions(self) -> tuple[str, ...]:
        """Values to offer, written as in a query."""
        return tuple(f"'{value}'" for value in self.values) or self.examples or EXAMPLES.get(self.type, ())


@dataclass(frozen=True)
class Field(_Named):
    """An attribute of a customer. `column` names its column of `customer_stats`."""

    name: str
    type: Type
    column: str | None
    sentence: str
    values: tuple[str, ...] = ()  # of an Enum: all of them
    examples: tuple[str, ...] = ()
    supplied_by: str = ""  # what would supply it, said where nothing does
    needs: str = ""  # what a shop must be supplied with, beside orders and customers (`Vocabulary.supplied`)
    whole: bool = False  # whether it rests on every order that a customer ever placed
    undated: bool = False  # whether only today's state is kept of it, so that the past is taken to have been the same
    shopify: bool = False  # whether Shopify's segments have this name
    everybody: bool = False  # whether everybody has one, so that it is never missing
    least: int | None = None
    most: int | None = None
    past: bool = False  # of a date: whether it never lies in the future
    forgeable: bool = False  # whether anybody could make it up of themselves
    codes: str = ""  # of which kind of place it holds the codes of ISO 3166: "country", "region"
    days_since: "Field | None" = None  # the date that it is another way of writing: how many days ago that was
    called: str = ""  # in plain words, where its name would not do


@dataclass(frozen=True)
class Parameter(_Named):
    """A condition inside MATCHES (…): on each row, or on the aggregate over the rows chosen.

    `column` names a column of the rows, or one of the aggregates `orders`, `sum_units` and `sum_amount_minor`.
    """

    name: str
    type: Type
    column: str | None
    sentence: str
    kind: Literal["row", "aggregate"] = "row"
    values: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    supplied_by: str = ""
    needs: str = ""
    codes: str = ""  # as of a Field
    called: str = ""  # in plain words, where its sentence would not do


@dataclass(frozen=True)
class Function:
    """A question about related rows, asked with MATCHES (…). `rows` names what it chooses from."""

    name: str
    rows: str | None
    sentence: str
    parameters: Mapping[str, Parameter] = field(compare=False, repr=False)
    supplied_by: str = ""
    needs: str = ""
    forgeable: bool = False  # whether anybody could make such rows up
    asks: tuple[tuple[str, ...], ...] = ()  # parameters without which it makes no sense: one of each of these
    shopify: frozenset[str] | None = None  # the parameters that it has in Shopify's segments; None: they lack it
    called: str = ""  # as of a Parameter

    @property
    def available(self) -> bool:
        return self.rows is not None
