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


@pytest.mark.parametrize(
    ("path", "typed"),
    [
        ("/connections/keys", {"name": "Call centre"}),
        ("/connections/keys/site", {"pages": "shop.example.com"}),
        ("/connections/webhooks", {"url": "http://93.184.215.14/hook", "which": "some"}),
        ("/people", {"email": "eve(at)example.com", "role": "editor"}),
        ("/safety/limits", {"percent": "250", "contacts": "12345", "email": "eve@example.com"}),
        ("/settings/prefix", {"prefix": "a prefix that is much too long to be one"}),
        ("/settings/terms", {"zone": "Europe/Nowhere", "currency": "EUR", "cart_wait_minutes": "77"}),
        ("/segments/{segment_id}/tests", {"customer": "nobody@example.com", "inside": "no"}),
    ],
)
def test_what_was_typed_is_still_there_where_it_is_refused(mine, visitor, path, typed):
    refused = visitor.post(path.format(**mine.ids), **typed)
    assert refused.status_code in (400, 422)
    chosen = {"role", "which", "inside"} & typed.keys()
    for name, value in typed.items():
        assert (
            f'value="{value}"{" selected" if name == "role" else " checked" if name in chosen else ""}' in refused.text
        )
