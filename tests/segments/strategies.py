"""Random queries over the names that are available, for property tests of the language and of its compiler."""

import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from plugin.attributes.definitions import FIXED
from plugin.segments.language.dates import FURTHEST, WORDS, a_year_or_more, wrong_way_round
from plugin.segments.language.fields import FIELDS, FUNCTIONS
from plugin.segments.language.schema import COMPARISONS, IN_PARAMETERS, OPERATORS, Field, Function, Parameter, Type
from plugin.segments.language.tree import (
    AbsoluteDate,
    And,
    Anniversary,
    Between,
    Boolean,
    Compare,
    Contains,
    Coordinates,
    In,
    Instant,
    IsNull,
    Matches,
    Node,
    Not,
    Number,
    Or,
    RelativeDate,
    StartsWith,
    Text,
    Value,
)

Values = Mapping[str | Type, SearchStrategy[Value]]

# What any shop can be asked: what a merchant keeps of customers is there once it is.
AVAILABLE_FIELDS = tuple(
    row for row in FIELDS.values() if row.available and not row.days_since and row.needs not in FIXED
)
NOBODYS = {name for name in FUNCTIONS if name.startswith("shopify_email.")}  # what no platform tells
AVAILABLE_FUNCTIONS = tuple(row for row in FUNCTIONS.values() if row.available and row.needs not in NOBODYS)


def relative(amount: int, unit: str) -> RelativeDate:
    return RelativeDate(amount, unit, f"{amount:+d}{unit}")  # type: ignore[arg-type]


characters = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
texts = st.text(characters, max_size=12).map(lambda text: Text(unicodedata.normalize("NFC", text)))
relative_days = st.sampled_from(sorted(FURTHEST)).flatmap(
    lambda unit: st.integers(-FURTHEST[unit], FURTHEST[unit]).map(lambda amount: relative(amount, unit))
)
named_days = st.sampled_from([RelativeDate(amount, unit, word) for word, (amount, unit) in WORDS.items()])
days = (
    st.dates().map(AbsoluteDate)
    | st.datetimes().map(lambda moment: Instant(moment.replace(microsecond=0)))
    | relative_days
    | named_days
)
decimals = st.decimals(Decimal(-(10**9)), Decimal(10**9), places=3) | st.integers(-(10**9), 10**9).map(Decimal)


def degrees(most: int) -> SearchStrategy[Decimal]:
    return st.integers(-most * 1000, most * 1000).map(lambda thousandths: Decimal(thousandths).scaleb(-3))


ANY_VALUES: Values = {
    Type.DATE: days,
    Type.INTEGER: st.integers(-(2**63), 2**63 - 1).map(Number),
    Type.DECIMAL: decimals.map(Number),
    Type.MONEY: decimals.map(Number),
    Type.ID: texts | st.integers(min_value=0).map(lambda number: Text(str(number))),
    Type.STRING: texts,
    Type.LIST: texts,
    Type.ID_LIST: texts,
    Type.MEMBER: texts,
    Type.BOOLEAN: st.booleans().map(Boolean),
    Type.COORDINATES: st.builds(Coordinates, degrees(90), degrees(180)),
}


def pool(*values: object) -> SearchStrategy[Value]:
    """Plain Python values as values of the language; a text such as "-30d" that stands for a day goes by `relative`."""
    return st.sampled_from([_value(value) for value in values])


def _value(value: object) -> Value:
    match value:
        case bool():
            return Boolean(value)
        case int() | Decimal():
            return Number(value)
        case str():
            return Text(value)
        case datetime():
            return Instant(value)
        case date():
            return AbsoluteDate(value)
        case AbsoluteDate() | Instant() | RelativeDate() | Coordinates():
            return value
    raise TypeError(f"the language has no value for {value!r}")


def queries(
    values: Values | None = None,
    fields: Sequence[Field] = AVAILABLE_FIELDS,
    functions: Sequence[Function] = AVAILABLE_FUNCTIONS,
    max_leaves: int = 8,
) -> SearchStrategy[Node]:
    """Trees as the parser could give them.

    `values` says where a name's values come from: by name (`customer_tags`), by function and parameter
    (`products_purchased.sku`), or by Type; what it leaves out is anything at all of the type.
    """
    leaves = clauses(values, fields, functions)
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, min_size=2, max_size=3).map(lambda some: And(tuple(some))),
            st.lists(inner, min_size=2, max_size=3).map(lambda some: Or(tuple(some))),
            inner.map(Not),
        ),
        max_leaves=max_leaves,
    )


def clauses(
    values: Values | None = None,
    fields: Sequence[Field] = AVAILABLE_FIELDS,
    functions: Sequence[Function] = AVAILABLE_FUNCTIONS,
) -> SearchStrategy[Node]:
    """One condition, as above."""
    given = values or {}
    kinds: list[SearchStrategy[Node]] = []
    if own_dates := [row for row in fields if row.type is Type.DATE and "." in row.name]:
        kinds.append(st.sampled_from(own_dates).flatmap(lambda row: anniversaries(row, given)))
    if fields:
        kinds.append(st.sampled_from(fields).flatmap(lambda row: _of_field(row, given)))
    if functions:
        kinds.append(st.sampled_from(functions).flatmap(lambda row: _of_function(row, given)))
    return st.one_of(kinds)


def anniversaries(row: Field, given: Values) -> SearchStrategy[Node]:
    """Questions of a date's month and day."""
    some = _values(row, row.name, given).filter(lambda day: not isinstance(day, Instant))
    ranges = st.tuples(some, some).map(lambda ends: _in_order(*ends)).filter(lambda ends: not a_year_or_more(*ends))
    return st.one_of(
        st.builds(lambda day, negated: Anniversary(row, day, day, negated), some, st.booleans()),
        ranges.map(lambda ends: Anniversary(row, *ends)),
    )


def _of_field(row: Field, given: Values) -> SearchStrategy[Node]:
    some = _values(row, row.name, given)
    special: dict[str, SearchStrategy[Node]] = {
        "IS NULL": st.builds(IsNull, st.just(row), st.booleans()),
        "CONTAINS": st.builds(Contains, st.just(row), some, st.booleans()),
        "STARTS WITH": st.builds(StartsWith, st.just(row), some, st.booleans()),
    }
    allowed = OPERATORS[row.type]
    return st.one_of(
        *_conditions(row, some, allowed),
        *(node for operator, node in special.items() if operator in allowed),
    )


def _of_function(row: Function, given: Values) -> SearchStrategy[Node]:
    known = [one for one in row.parameters.values() if one.available or not row.available]
    chosen = st.lists(st.sampled_from(known), unique_by=lambda one: one.name, max_size=4) if known else st.just([])
    needed = st.tuples(*(st.sampled_from([row.parameters[name] for name in either]) for either in row.asks))
    chosen = st.tuples(needed, chosen).map(
        lambda parts: list({one.name: one for one in (*parts[0], *parts[1])}.values())
    )
    conditions = chosen.flatmap(
        lambda some: st.tuples(
            *(
                st.one_of(
                    _conditions(one, _values(one, f"{row.name}.{one.name}", given), OPERATORS[one.type] & IN_PARAMETERS)
                )
                for one in some
            )
        )
    )
    return st.one_of(
        st.builds(Matches, st.just(row), conditions, st.booleans()),
        st.builds(IsNull, st.just(row), st.booleans()),
    )


def _conditions(
    row: Field | Parameter, some: SearchStrategy[Value], allowed: frozenset[str]
) -> list[SearchStrategy[Node]]:
    """Comparisons, BETWEEN and IN, as far as the type has them."""
    kinds: list[SearchStrategy[Node]] = []
    if comparisons := sorted(allowed & COMPARISONS):
        kinds.append(st.builds(Compare, st.just(row), st.sampled_from(comparisons), some))
    if "BETWEEN" in allowed:
        kinds.append(st.tuples(some, some).map(lambda ends: Between(row, *_in_order(*ends))))
    if "IN" in allowed:
        lists = st.lists(some, min_size=1, max_size=4).map(tuple)
        kinds.append(st.builds(In, st.just(row), lists, st.booleans()))
    return kinds


def _in_order(low: Value, high: Value) -> tuple[Value, Value]:
    if isinstance(low, Number) and isinstance(high, Number):
        return (low, high) if low.value <= high.value else (high, low)
    return (high, low) if wrong_way_round(low, high) else (low, high)  # type: ignore[arg-type]


def _values(row: Field | Parameter, name: str, given: Values) -> SearchStrategy[Value]:
    if row.type is Type.ENUM:
        everything: SearchStrategy[Value] = st.sampled_from([Text(value) for value in row.values])
    else:
        everything = ANY_VALUES[row.type]
    return given.get(name, given.get(row.type, everything))
