"""The table of names: what is in it, what is available, and that each row fits the language."""

import re
from pathlib import Path

import pytest

from plugin.segments.language import check
from plugin.segments.language.fields import ALIASES, FIELDS, FUNCTIONS
from plugin.segments.language.schema import OPERATORS, Field, Type
from plugin.segments.language.values import READERS, READS
from plugin.segments.language.vocabulary import WHOLE_TABLE

SPECIFICATION = Path(__file__).parents[3] / "shared" / "segment-language.md"


def test_no_name_is_an_attribute_and_a_function():
    assert not FIELDS.keys() & FUNCTIONS.keys()


def test_each_row_stands_under_its_own_name():
    for name, row in (*FIELDS.items(), *FUNCTIONS.items()):
        assert row.name == name
    for function in FUNCTIONS.values():
        for name, parameter in function.parameters.items():
            assert parameter.name == name


def test_each_row_tells_what_would_supply_it_or_where_it_is():
    for row in (*FIELDS.values(), *FUNCTIONS.values()):
        assert row.sentence
        assert row.available or row.supplied_by
    for function in FUNCTIONS.values():
        assert all(one.available or one.supplied_by for one in function.parameters.values())
        assert all(one.sentence for one in function.parameters.values() if one.available)


def test_no_two_attributes_share_a_column():
    columns = [
        row.column for row in FIELDS.values() if row.column and not row.days_since and row.name != "historic_value"
    ]
    assert len(columns) == len(set(columns))


def test_just_the_enums_have_values():
    for row in FIELDS.values():
        assert bool(row.values) == (row.type is Type.ENUM)


def test_each_type_has_operators_and_a_way_to_read_its_values():
    assert set(OPERATORS) == set(Type)
    assert set(READERS) == set(READS) == set(Type) - {Type.UNDEFINED}


def test_the_values_we_suggest_can_be_written():
    for row in FIELDS.values():
        for suggestion in row.suggestions if row.available else ():
            operator = "CONTAINS" if row.type is Type.LIST else "="
            assert check(f"{row.name} {operator} {suggestion}").ok, suggestion


@pytest.mark.parametrize(("spelling", "name"), ALIASES.items())
def test_two_spellings_are_one_name(spelling, name):
    assert WHOLE_TABLE.look_up(spelling) == WHOLE_TABLE.look_up(name) == FUNCTIONS[name]


@pytest.mark.parametrize("name", ["metafields.facts.birth_date", "attributes.shoe-size", "attributes.a.b"])
def test_a_merchants_own_fields_are_names(name):
    row = WHOLE_TABLE.look_up(name)
    assert isinstance(row, Field)
    assert row.name == name
    assert not row.available


def test_a_metafield_is_the_same_with_customer_in_front():
    assert WHOLE_TABLE.look_up("customer.metafields.facts.likes") == WHOLE_TABLE.look_up("metafields.facts.likes")


@pytest.mark.parametrize(
    "name", ["", "metafields", "metafields.a", "metafields.a.b.c", "attributes", "customer.orders"]
)
def test_other_names_are_not(name):
    assert WHOLE_TABLE.look_up(name) is None


def test_each_operator_of_a_types_row_is_accepted_and_no_other():
    ways = {
        "=": "= {0}",
        "!=": "!= {0}",
        ">": "> {0}",
        ">=": ">= {0}",
        "<": "< {0}",
        "<=": "<= {0}",
        "BETWEEN": "BETWEEN {0} AND {0}",
        "IN": "NOT IN ({0})",
        "STARTS WITH": "NOT STARTS WITH {0}",
        "CONTAINS": "NOT CONTAINS {0}",
        "IS NULL": "IS NOT NULL",
    }
    for row in (row for row in FIELDS.values() if row.available):
        value = (row.suggestions or ("'x'",))[0]
        for operator, way in ways.items():
            found = check(f"{row.name} {way.format(value)}")
            assert found.ok == (operator in OPERATORS[row.type]), f"{row.name} {operator}"
            assert {error.code for error in found.errors} <= {"OPERATOR_NOT_SUPPORTED"}


@pytest.mark.skipif(not SPECIFICATION.exists(), reason="the specification does not lie beside the project")
def test_every_name_of_the_specification_is_in_the_table():
    text = SPECIFICATION.read_text(encoding="utf-8").partition("## 5. Names")[2].partition("## 6.")[0]
    rows = [line.split("|") for line in text.splitlines() if line.startswith("| ")]
    cells = [row[1] if row[1].startswith(" `") else row[2] for row in rows]
    names = {name for cell in cells for name in re.findall(r"`([a-z][a-z_.]+)(?=`| MATCHES)", cell)}
    assert len(names) > 60
    assert not {name for name in names if not WHOLE_TABLE.look_up(name)}


def test_a_row_is_available_exactly_when_it_has_a_column():
    assert Field("shoe_size", Type.INTEGER, "shoe_size", "Size of shoes").available
    assert not Field("shoe_size", Type.INTEGER, None, "Size of shoes").available
