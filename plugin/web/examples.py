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
   "customer": {{"id": "706405"}},
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
POST {url}/api/v1/customers/706405/attributes

{{"values": {{"birth_date": "1990-05-17", "interests": ["tea", "maps"], "club": null}},
 "at": "2026-05-04T12:00:00Z"}}"""

OF_MANY = """\
POST {url}/api/v1/attributes

{{"attributes": [{{"customer": {{"email": "ann@example.com"}}, "values": {{"club": "gold"}}}}]}}"""


MEMBERS = """\
GET {url}/api/v1/segments
GET {url}/api/v1/segments/5b1f0c9ad2e47a83/members

{{"members": [{{"customer_id": "706405", "entered_at": "2026-05-04T12:03:00Z"}}],
 "next": null, "since": "WyJjaGFuZ2VzIiwi…"}}"""

CHANGES = """\
GET {url}/api/v1/segments/5b1f0c9ad2e47a83/members?since=WyJjaGFuZ2VzIiwi…

{{"changes": [
  {{"customer_id": "706405", "change": "left", "at": "2026-05-05T12:00:15Z", "cause": "order"}}],
 "since": "WyJjaGFuZ2VzIiwi…", "more": false}}"""

CUSTOMER = """\
GET {url}/api/v1/customers/706405

{{"id": "706405",
 "segments": [{{"id": "5b1f0c9ad2e47a83", "name": "VIP", "tag": "seg:vip", "entered_at": "2026-05-04T12:03:00Z"}}],
 "tags": [{{"platform": "klaviyo", "connection_id": "9e0d…", "tags": ["seg:vip"]}}]}}"""


WEBHOOK = """\
POST /tagsmith HTTP/1.1
content-type: application/json
webhook-id: 0c9f2be51d7a4386
webhook-timestamp: 1777896195
webhook-signature: v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=

{"type": "segment.entered", "timestamp": "2026-05-04T12:03:15+00:00", "data": {
  "sequence": 1815,
  "segment": {"id": "5b1f0c9ad2e47a83", "name": "VIP", "tag": "seg:vip"},
  "customers": [
    {"id": "706405", "at": "2026-05-04T12:03:15+00:00", "cause": "order", "email": "ann@example.com"}]}}"""


def api(url: str) -> dict[str, str]:
    """Return the examples of the API, with the address of this installation."""
    shown = {"events": EVENTS, "results": RESULTS, "attributes": ATTRIBUTES, "of_many": OF_MANY}
    shown |= {"members": MEMBERS, "changes": CHANGES, "customer": CUSTOMER}
    return {name: text.format(url=url) for name, text in shown.items()}


TAG = """\
<script async src="{url}/snippet.js"
  data-key="{key}"
  data-customer="7064055069" data-proof="8c2f…"
  data-consent="granted"></script>"""

MORE = """\
data-product="632910392" data-tags="sale, new"
data-collection="841564295"
data-search="blue mugs\""""

CONSENT = """\
window.tagsmith = window.tagsmith || [];
tagsmith.push(["consent", true]);"""

CHANGING = """\
tagsmith.push(["page"], ["product", "632910392", ["sale"]], ["searched", "blue mugs"]);
tagsmith.push(["form", "newsletter"], ["link", "size guide"]);"""

PLATFORMS = {
    "WooCommerce": """\
<?php // functions.php of the theme; TAGSMITH_SECRET stands in wp-config.php
add_action('wp_footer', function () {{
  $id = (string) get_current_user_id();
  if ($id === '0') return;
  printf('<script async src="{url}/snippet.js" data-key="{key}" data-customer="%s" data-proof="%s"></script>',
    esc_attr($id), esc_attr(hash_hmac('sha256', $id, TAGSMITH_SECRET)));
}});""",
    "Shopify, theme.liquid": """\
{{% if customer %}}
<script async src="{url}/snippet.js" data-key="{key}"
  data-customer="{{{{ customer.id }}}}"
  data-proof="{{{{ customer.id | append: '' | hmac_sha256: 'the secret' }}}}"
  {{% if product %}}data-product="{{{{ product.id }}}}"{{% endif %}}></script>
{{% endif %}}""",
    "Node": """\
const proof = crypto.createHmac("sha256", process.env.TAGSMITH_SECRET).update(String(customer.id)).digest("hex");""",
    "Python": """\
proof = hmac.new(secret.encode(), str(customer.id).encode(), hashlib.sha256).hexdigest()""",
}


def tag(url: str, key: str) -> str:
    """Return the tag for the shop's pages."""
    return TAG.format(url=url, key=key)


def pages(url: str, key: str = "tsp_…") -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Return the examples of the snippet, and how each platform works out the proof."""
    shown = {"tag": tag(url, key), "more": MORE, "consent": CONSENT, "changing": CHANGING}
    return shown, [(title, code.format(url=url, key=key)) for title, code in PLATFORMS.items()]
