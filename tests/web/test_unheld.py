"""What no row can hold, such as U+0000, is found nowhere or cannot be read: on neither database is it our fault."""

import pytest

PATHS = [
    "/segments/%00",
    "/segments/{0}/members?after=%00",
    "/segments/{0}/why/%00",
    f"/segments/{{0}}/history?before=0.{2**63}.1",
    "/customers/%00",
]
FORMS = {
    "/login": {"shop": "\0", "password": "x"},
    "/customers": {"who": "\0"},
    "/segments/{0}/restore": {"version": str(2**63)},
    "/segments/{0}/tests": {"customer": "\0"},
    "/segments/{0}/release/%00": {},
}


@pytest.fixture
def ways(mine):
    asked = [(path, None) for path in PATHS] + list(FORMS.items())
    return [(path.format(mine.ids["segment_id"]), form) for path, form in asked]


def test_it_is_answered(visitor, ways):
    for path, form in ways:
        answer = visitor.get(path) if form is None else visitor.post(path, **form)
        assert answer.status_code < 500, path
        assert "It is our fault" not in answer.text
