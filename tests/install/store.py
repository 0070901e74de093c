"""A store into which our app can be installed, and a merchant who does it with a browser."""

import base64
import hashlib
import hmac
import json
import os
import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import requests

from plugin import clock, shops
from plugin.db import reading
from plugin.sandbox import Server, ShopifyStandIn, State
from plugin.sandbox.shopify import App
from plugin.sandbox.webhooks import Sender
from plugin.seal import unseal
from tests.web.site import PASSWORD, Visitor

ROOT = Path(__file__).parents[2]
DOMAIN = "acme.myshopify.com"
CLIENT_ID, SECRET, OLD_SECRET = "our-client-id", "our made-up secret " * 2, "our secret before " * 2
CALLBACK = "http://127.0.0.1:8000/install/shopify/callback"
FORM = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


class Store:
    """Shopify's stand-in with our app in it. `times` counts what the token endpoint was asked for, by grant."""

    def __init__(self, app=None):
        self.app = app or App(CLIENT_ID, [SECRET, OLD_SECRET], [CALLBACK])
        self.stand_in = ShopifyStandIn(
            State(None),
            clock.now,
            DOMAIN,
            "a merchant's own token",
            self.app.secret,
            app=self.app,
            sender=Sender(retries=()),
        )
        self.server = Server(self.stand_in.app).start()
        self.admin = self.stand_in.admin

    @property
    def origin(self):
        return self.server.origin

    def token(self, **claims):
        return self.admin.session_token(**claims)

    def asked(self):
        return [one["body"] for one in self.stand_in.desk.requests if one["path"] == "/admin/oauth/access_token"]

    def consent(self, place):
        """Click Install on the page of consent; return where the browser is sent."""
        page = requests.get(place, timeout=10)
        assert page.status_code == 200, page.text
        form = dict(FORM.findall(page.text))
        answer = requests.post(f"{self.origin}/admin/oauth/authorize", data=form, timeout=10, allow_redirects=False)
        assert answer.status_code == 302
        return answer.headers["Location"]

    def stop(self):
        self.stand_in.stop()
        self.server.stop()


def fetched(client, place, **options):
    """Open an address of the site, given whole or as a path."""
    parts = urlsplit(place)
    return client.get(f"{parts.path}?{parts.query}" if parts.query else parts.path, **options)


def installed(site, store, client=None):
    """Install from outside the admin with a browser; return the browser and the last answer."""
    browser = client or site.app.test_client()
    answer = browser.get(f"/install/shopify?shop={DOMAIN}")
    assert answer.status_code == 302, answer.text
    return browser, fetched(browser, store.consent(answer.headers["Location"]))


def set_password(browser, answer):
    """Set the first password, as the page asks the merchant to."""
    visitor = Visitor(browser)
    assert urlsplit(answer.headers["Location"]).path == "/setup"
    assert visitor.get(answer.headers["Location"]).status_code == 200
    code = parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]
    return visitor, visitor.post("/setup", code=code, password=PASSWORD, again=PASSWORD)


def open_in_admin(client, store, **more):
    """Open the app as the admin does; return the page that the merchant sees."""
    return fetched(client, f"/app/shopify?{store.admin.launch(**more)}", follow_redirects=True)


def connection_of(engine, domain=DOMAIN):
    with reading(engine) as session:
        return shops.by_address(session, "shopify", domain)


def credentials_of(engine):
    found = connection_of(engine)
    return unseal(found.shop_id, found.sealed)


def with_query(place, **changes):
    """An address with other parameters; one that is None is taken out."""
    parts = urlsplit(place)
    query = {name: value for name, value in (dict(parse_qsl(parts.query)) | changes).items() if value is not None}
    return f"{parts.path}?{urlencode(query)}"


def webhook(topic, body, *, secret=SECRET, at=None, webhook_id="1", shop=DOMAIN):
    """What Shopify sends, signed by hand."""
    raw = json.dumps(body).encode()
    digest = base64.b64encode(hmac.new(secret.encode(), raw, hashlib.sha256).digest()).decode()
    headers = {
        "X-Shopify-Topic": topic,
        "X-Shopify-Hmac-Sha256": digest,
        "X-Shopify-Shop-Domain": shop,
        "X-Shopify-Webhook-Id": webhook_id,
        "X-Shopify-Triggered-At": (at or clock.now()).isoformat(),
    }
    return {"data": raw, "headers": headers, "content_type": "application/json"}


def command(database_url, *arguments, **variables):
    """Run a command of the app in a process of its own, on the settings of this one; return what it said."""
    environment = os.environ | {"DATABASE_URL": database_url} | variables
    ran = subprocess.run(
        [sys.executable, "-m", "plugin", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@contextmanager
def running(app=None):
    made = Store(app)
    yield made
    made.stop()
