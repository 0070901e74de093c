"""A made-up Shopify admin in the browser: the page with our app in its frame, and App Bridge, which gives tokens."""

import base64
import hashlib
import hmac
import json
import uuid
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

ADMIN = "https://admin.shopify.com"
BRIDGE = "https://cdn.shopify.com/shopifycloud/app-bridge.js"
SHOP = "practice-shop.myshopify.com"
CLIENT_ID, SECRET = "our-app", "a made-up secret of our app, long enough"
TOKEN_SECONDS = 60

PAGE = """<!doctype html><html lang="en"><title>Shopify admin</title>
<h1>Practice shop</h1><iframe title="Tagsmith" width="1000" height="800" src="{src}"></iframe></html>"""
# What it does of which our pages make use: tokens, sent along with what is fetched; and a page that is opened anew.
APP_BRIDGE = """
globalThis.shopify = { idToken: () => newToken(), toast: { show: (text) => toasted(text) } };
const plain = globalThis.fetch;
globalThis.fetch = async (address, options = {}) => {
  const headers = new Headers(options.headers);
  if (!headers.has("Authorization")) headers.set("Authorization", `Bearer ${await newToken()}`);
  return plain(address, { ...options, headers });
};
const anew = new URLSearchParams(location.search).get("shopify-reload");
if (anew) newToken().then((token) => {
  const place = new URL(anew, location.origin);
  place.searchParams.set("id_token", token);
  location.replace(place);
});
"""


class Admin:
    """Answers for Shopify in a visitor's browser. `offset` is how far the shop's clock is from the real one."""

    def __init__(self, visitor, offset):
        self.visitor, self.offset = visitor, offset
        self.said = []
        visitor.hosts |= {"admin.shopify.com", "cdn.shopify.com"}
        # The real admin is on the same network as our pages; here ours are on this very machine.
        visitor.context.grant_permissions(["local-network-access"], origin=ADMIN)
        visitor.context.expose_function("newToken", self.token)
        visitor.context.expose_binding("toasted", lambda _, text: self.said.append(text))
        visitor.context.route(f"{ADMIN}/**", self.answer)
        visitor.context.route(BRIDGE, lambda route: route.fulfill(content_type="text/javascript", body=APP_BRIDGE))

    def answer(self, route):
        asked = {"embedded": "1", "shop": SHOP, "host": self.host, "id_token": self.token(), "locale": "en"}
        source = f"{self.visitor.origin}/app/shopify?{urlencode(asked)}"
        route.fulfill(content_type="text/html", body=PAGE.format(src=source.replace("&", "&amp;")))

    @property
    def host(self):
        return part(f"{ADMIN.removeprefix('https://')}/store/practice-shop".encode())

    def open(self):
        """Open the app in the admin; return its frame."""
        self.visitor.page.goto(f"{ADMIN}/store/practice-shop/apps/tagsmith")
        self.visitor.page.frame_locator("iframe").get_by_role("heading", level=1).wait_for()
        return self.frame

    @property
    def frame(self):
        return self.visitor.page.frames[1]

    def go(self, title):
        """Choose one of our pages in the admin's own menu, which knows of tokens nothing."""
        item = self.frame.locator("s-app-nav s-link", has_text=title)
        self.frame.evaluate("(place) => location.assign(place)", item.get_attribute("href"))
        self.frame.wait_for_url(lambda url: "id_token" in url)

    def token(self):
        """Sign a session token by hand, since what checks it must not be what signs it."""
        at = int((datetime.now(UTC) + timedelta(seconds=self.offset)).timestamp())
        said = {
            "iss": f"https://{SHOP}/admin",
            "dest": f"https://{SHOP}",
            "aud": CLIENT_ID,
            "sub": "17",
            "exp": at + TOKEN_SECONDS,
            "nbf": at,
            "iat": at,
            "jti": str(uuid.uuid4()),
            "sid": uuid.uuid4().hex,
        }
        message = ".".join(part(json.dumps(one).encode()) for one in ({"alg": "HS256", "typ": "JWT"}, said))
        return f"{message}.{part(hmac.digest(SECRET.encode(), message.encode(), hashlib.sha256))}"


def part(raw):
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
