"""What the documentation shows as it is written to machines: the same in every language."""

from __future__ import annotations

EVENTS = """\
POST {url}/api/v1/events
Authorization: Bearer tsk_…
Content-Type: application/json
Idempotency-Key: 2026-05-04-0017

{{"events": [
  {{"id": "call-981", "kind": "call_received", "at": "2026-05-04T12:03:00Z",
   "customer": {{"email": "ann@example.com"}}, "properties": {{"topic": "delivery"}}}},
  {{"id": "nps-44", "kind": "survey_answered", "at": "2026-05-04T12:10:00+02:00",
   "customer": {{"id": "7064055069303700841"}},
   "properties": {{"survey": "nps", "question": "Would you recommend us?", "score": 9}}}},
  {{"id": "visit-3", "kind": "event", "name": "shop visited", "at": "2026-05-04T15:00:00Z",
   "customer": {{"email": "ann@example.com"}}}}
]}}"""

RESULTS = """\
{{"accepted": 1, "repeated": 0, "unknown_customers": 1, "refused": 1, "results": [
  {{"status": "accepted"}},
  {{"status": "unknown_customer"}},
  {{"status": "refused", "code": "invalid", "field": "name", "message": "event needs a name"}}
]}}"""

ATTRIBUTES = """\
POST {url}/api/v1/customers/7064055069303700841/attributes

{{"values": {{"birth_date": "1990-05-17", "interests": ["tea", "maps"], "club": null}},
 "at": "2026-05-04T12:00:00Z"}}"""

OF_MANY = """\
POST {url}/api/v1/attributes

{{"attributes": [{{"customer": {{"email": "ann@example.com"}}, "values": {{"club": "gold"}}}}]}}"""


def api(url: str) -> dict[str, str]:
    """Return the examples of the API, with the address of this installation."""
    shown = {"events": EVENTS, "results": RESULTS, "attributes": ATTRIBUTES, "of_many": OF_MANY}
    return {name: text.format(url=url) for name, text in shown.items()}
