"""A CSV file of attributes is brought in row by row, once, and tells what it could not take without naming anybody."""

from __future__ import annotations

import gzip
from io import StringIO

import pytest

from plugin import attribute_imports, clock, config
from plugin.__main__ import main
from plugin.attribute_imports import import_attributes
from plugin.attributes import definitions
from plugin.db import reading
from plugin.imports import UnreadableFileError
from tests.attributes.conftest import NOW, account

FILE = """\
Email,customer_id,Shoe size,birth_date,likes,changed_at
ann@example.com,,38,1990-05-17,art;tea,2026-01-01T00:00:00Z
,8,39,17 May 1990,,
eve@example.com,,large,,,
eve@example.com,,,,x,yesterday
nobody,,40,,,
zoë@example.com,,40
"""


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(attribute_imports, "BATCH_ROWS", 2)


def bring_in(keeper, text=FILE, **more):
    return import_attributes(keeper.engine, keeper.shop.shop_id, StringIO(text), {"shoe_size": "integer"}, **more)


def test_a_file_is_brought_in_once_and_says_by_line_what_it_left_out(keeper, small_batches):
    keeper.store(account("8"))
    came = bring_in(keeper)
    assert [(fault.line, fault.reason) for fault in came.faults] == [
        (3, "birth_date takes a date, such as 1990-05-17"),
        (4, "shoe_size takes a whole number"),
        (5, "changed_at is not a moment with its offset from UTC"),
        (6, "neither a customer's id nor an e-mail address"),
        (7, "3 columns instead of 6"),
    ]
    assert (came.rows, came.stored, came.same, came.unknown) == (5, 4, 0, 1)
    assert came.defined == {"shoe_size": "integer", "birth_date": "date", "likes": "text"}
    assert keeper.values()["8 shoe_size"] == ["39"]
    with reading(keeper.engine) as session:
        labels = {row.key: row.label for row in definitions.all_of(session, keeper.shop.shop_id)}
    assert labels == {"shoe_size": "Shoe size", "birth_date": None, "likes": None}
    rows = keeper.rows()
    with clock.freeze(NOW.replace(hour=20)):
        again = bring_in(keeper)
    assert (again.stored, again.same) == (0, 4)
    assert keeper.rows() == rows


def test_a_rehearsal_says_the_same_and_keeps_nothing(keeper, small_batches):
    rehearsed = bring_in(keeper, rehearse=True)
    assert keeper.rows() == []
    assert keeper.kinds() == {}
    assert rehearsed == bring_in(keeper)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no column says whose"),
        ("size\n4\n", "no column says whose"),
        ("email\na@example.com\n", "each further column names an attribute"),
        ("email,size,size\n", "each further column names an attribute"),
        ("email,Size!,size\n", "each further column names an attribute"),
        ("email,email,size\n", "each column stands once"),
        ("email," + ",".join(map("a{}".format, range(200))), "201 columns: at most 200"),
        ("email,7\n", "a key is a word"),
    ],
)
def test_what_is_no_such_file_is_refused(keeper, text, why):
    with pytest.raises(UnreadableFileError, match=why):
        bring_in(keeper, text)


@pytest.mark.parametrize("whose", ["", "@example.com"])
def test_an_id_or_address_that_no_index_holds_is_left_out(keeper, whose):
    unlike = "".join(map(str, range(5_000)))  # Postgres would pack what repeats itself
    came = bring_in(keeper, f"{'email' if whose else 'customer_id'},size\n{unlike}{whose},4\n")
    assert [(fault.line, "at most 200" in fault.reason) for fault in came.faults] == [(2, True)]
    assert keeper.values() == {}


@pytest.fixture
def configured(keeper, database_url, tmp_path, monkeypatch):
    """The settings of a command: the keeper's database."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("INSTANCE_DIR", str(tmp_path))
    config.settings.cache_clear()
    yield
    monkeypatch.undo()
    config.settings.cache_clear()


@pytest.mark.usefixtures("configured")
def test_the_command_takes_a_packed_file_with_semicolons(keeper, tmp_path, capsys):
    file = tmp_path / "attributes.csv.gz"
    file.write_bytes(gzip.compress("\ufeffcustomer_id;size;born\n7;4;\n8;x;1990-05-17\n".encode()))
    arguments = ["import-attributes", str(file), "--shop", "One", "--type", "size=integer"]
    assert main([*arguments, "--dry-run"]) == 0
    assert "would be kept" in capsys.readouterr().out
    assert main(arguments) == 0
    said = capsys.readouterr()
    assert "2 rows: 2 values kept, 0 the same as before, 1 left out; 2 rows of nobody who is a customer yet" in said.out
    assert "new: born (date)" in said.out
    assert "line 3: size takes a whole number" in said.err
    assert keeper.values() == {"7 size": ["4"], "8 born": ["1990-05-17"]}
    assert main([*arguments[:-1], "size=colour"]) == 2
