"""Somebody with a browser, who notices whatever a page should never do and tells it at the end."""

import time
from contextlib import suppress
from urllib.parse import urlsplit

from playwright.sync_api import expect

from tests.browser import axe

# What a page may not load or run is told by an event of its own, besides in the console.
TELL_REFUSALS = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`refused by the policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""
PATIENCE_MS = 30_000  # a machine that does much else is slow, and nothing here is about how long it takes
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 360, "height": 740}


expect.set_options(timeout=PATIENCE_MS)


class Visitor:
    """A context of the browser with one page. `faults` are what was noticed so far.

    `also` are the other origins that may be asked, such as the page of consent of an e-mail platform.
    """

    def __init__(self, browser, origin, also=(), **context):
        self.origin = origin
        self.hosts = {urlsplit(one).netloc for one in (origin, *also)}
        self.faults = []
        self.expected = ()
        self.context = browser.new_context(base_url=origin, **({"viewport": WIDE, "locale": "en-GB"} | context))
        self.context.set_default_timeout(PATIENCE_MS)
        self.context.add_init_script(TELL_REFUSALS)
        self.context.on("console", self.heard)
        self.context.on("weberror", lambda one: self.faults.append(f"{self.place}: {one.error}"))
        self.context.on("request", self.asked)
        self.context.on("requestfailed", self.failed)
        self.context.on("response", self.answered)
        self.page = self.context.new_page()

    @property
    def place(self):
        return urlsplit(self.page.url).path

    def heard(self, message):
        of_another = urlsplit(message.location["url"]).netloc not in ("", urlsplit(self.origin).netloc)
        if message.type in ("error", "warning") and not of_another and not self.foreseen(message.text):
            self.faults.append(f"{self.place}: the console says: {message.text}")

    def foreseen(self, text):
        """Whether the browser only repeats a status that the journey itself brings about."""
        return any(f"status of {status} " in text for status in self.expected)

    def asked(self, request):
        parts = urlsplit(request.url)
        if parts.scheme not in ("blob", "data") and parts.netloc not in self.hosts:
            self.faults.append(f"{self.place}: asks another host: {request.url}")

    def failed(self, request):
        if "ERR_ABORTED" not in (request.failure or ""):  # left before it was there: that is what links are for
            self.faults.append(f"{self.place}: {request.failure} for {request.url}")

    def answered(self, response):
        if response.status >= 500:
            self.faults.append(f"{self.place}: {response.status} from {response.request.method} {response.url}")

    def open(self, path):
        """Open a page of the site, which must be there."""
        answer = self.page.goto(path)
        assert answer.ok, f"{answer.status} from {path}"
        return self.page

    def click(self, role, name, **how):
        self.page.get_by_role(role, name=name, **how).click()

    def until(self, what, *, visible=True):
        """Reload the page until something is there, or no more; what brings it about works elsewhere."""
        deadline = time.monotonic() + PATIENCE_MS / 1000 * 3
        while what.first.is_visible() is not visible:
            assert time.monotonic() < deadline, f"{what} on {self.place}"
            self.page.reload()

    def inspect(self, frame=None):
        """Have axe-core look at the page as it stands, or at a frame in it."""
        self.faults += [f"{self.place}: {one}" for one in axe.violations(frame or self.page)]

    def sign_in(self, email, password):
        page = self.open("/login")
        page.get_by_label("E-mail").fill(email)
        page.get_by_label("Password").fill(password)
        page.get_by_label("Password").press("Enter")
        page.wait_for_url(lambda url: "/login" not in url)
        return self.context.storage_state()

    def leave(self):
        """Close the browser and say what was noticed."""
        with suppress(Exception):
            self.context.close()
        assert not self.faults, "\n".join(self.faults)
