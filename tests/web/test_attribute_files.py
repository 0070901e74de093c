"""Attributes from a file on the site: looked at by column and line, and kept only once the merchant says so."""

import logging
import re
from html import unescape

import pytest

from plugin.models.attributes import AttributeDefinition, AttributeValue
from plugin.web.customers.attribute_files import LARGEST_BYTES
from tests.web.test_segments import shown

PLACE = "/customers/attributes/file"


@pytest.fixture
def database_url(sqlite_databases):
    """One kind is enough: what the database is asked here is asked on both elsewhere."""
    with sqlite_databases() as address:
        yield address


def upload(visitor, raw, **more):
    return send(visitor, part("file", raw, '; filename="attributes.csv"'), **more)


def send(visitor, *parts, **more):
    """Send a form as a browser does. Written by hand: the test client leaves what holds large bodies open."""
    given = {"csrf_token": visitor.token} | more
    parts = [*parts, *(part(name, value.encode()) for name, value in given.items())]
    kind = "multipart/form-data; boundary=cut"
    return visitor.client.post(PLACE, data=b"".join(parts) + b"--cut--\r\n", content_type=kind)


def part(name, value, more=""):
    return f'--cut\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + value + b"\r\n"


def again(visitor, answer, **more):
    """Press a button of what was shown, as a browser sends it."""
    text = re.search(r'<textarea name="text" hidden>\n(.*?)</textarea>', answer.text, re.DOTALL)[1]
    return send(visitor, text=unescape(text).replace("\n", "\r\n"), **more)


def test_a_file_is_looked_at_changed_and_brought_in(site, visitor, mine, caplog):
    caplog.set_level(logging.DEBUG)
    raw = '\ufeffemail,Shoe size,note\nanna@mine.example.com,4,"<b>two\nlines"\nnobody@example.com,x,\n'.encode()
    looked = upload(visitor, raw)
    text = shown(looked.text)
    assert "What this file would bring Rows 2 Values to keep 3" in text
    assert "Shoe size attributes.shoe_size" in text
    assert re.search(r'<option value="text" selected>a text</option>', looked.text)
    assert (site.rows(AttributeValue), site.rows(AttributeDefinition)) == ([], [])
    strict = {"type:shoe_size": "integer", "type:note": "text"}
    looked = again(visitor, looked, action="look", **strict)
    assert "Line 4 shoe_size takes a whole number" in shown(looked.text)
    done = again(visitor, looked, action="do", **strict)
    assert "What was brought in Rows 2 Values kept 2 The same as before 0 Left out 1" in shown(done.text)
    assert "Line 4 shoe_size takes a whole number" in shown(done.text)
    assert {one.key: one.value for one in site.rows(AttributeValue)} == {"shoe_size": "4", "note": "<b>two\nlines"}
    assert "shoe_size" in visitor.page("/customers/attributes")
    assert "anna@" not in caplog.text
    assert "Values to keep 0 The same as before 2" in shown(upload(visitor, raw).text)  # the kind is known now


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"size\n4\n", "no column says whose the values are"),
        (b"email,size\n\xff,4\n", "it is not text in UTF-8"),
        (b"email,size\n" + b"a" * LARGEST_BYTES, "it is larger than this page takes"),
    ],
)
def test_what_is_no_such_file_is_refused_with_the_reason(site, visitor, mine, raw, said):
    answer = upload(visitor, raw)
    assert (answer.status_code, said in answer.text) == (422, True)
    assert upload(visitor, b"email,size\na@example.com,4\n", **{"type:size": "colour"}).status_code == 400
    assert site.rows(AttributeValue) == []


def test_line_ends_that_a_browser_adds_count_for_nothing(site, visitor, mine):
    row = b"1,4\n"
    looked = upload(visitor, b"customer_id,size\n" + row * ((LARGEST_BYTES - 100) // len(row) // 50) + b"\n" * 900_000)
    assert again(visitor, looked, action="do").status_code == 200


def test_only_this_page_takes_as_much(visitor, mine):
    much = b"a" * 600_000
    assert "cannot be taken in" in upload(visitor, much).text
    assert visitor.post("/segments/new", query=much.decode(), action="check").status_code == 413
    assert upload(visitor, b"a" * (2 * LARGEST_BYTES)).status_code == 413
