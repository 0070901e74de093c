"""Mailchimp's stand-in: audiences, members, tags and batches of one account over HTTP."""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime
from hashlib import sha256
from typing import Any

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from plugin.sandbox.consent import ClientApp, Consent
from plugin.sandbox.desk import Desk
from plugin.sandbox.email import Check
from plugin.sandbox.faults import Faults, install
from plugin.sandbox.model import text
from plugin.sandbox.state import Document, State

from .batches import Batches
from .members import Members
from .paging import page
from .problems import RefusedError, problem
from .reports import PARTS, Reports
from .segments import Segments

__all__ = ["MailchimpStandIn"]

AT_ONCE = 10
CENTRE = "us19"
OTHERS = ("cleaned", "transactional", "unsubscribed")  # who is among a segment's members only if asked for

Answer = tuple[Document | None, int]


class MailchimpStandIn:
    """One account with one audience. `app` answers its API; `stop` lets go of hanging requests.

    A batch ends once it has been asked for `batch_polls` times. `check` is told method, path and body of each write,
    and of each operation in a batch, and returns what is wrong with it. `client` is an app that may be let in,
    `others` are audiences by id that nobody is in. `signs`: its webhooks are signed by a secret that is told once.
    """

    def __init__(
        self,
        state: State,
        now: Callable[[], datetime],
        api_key: str,
        *,
        audience: str = "a1b2c3d4e5",
        batch_polls: int = 1,
        check: Check | None = None,
        name: str = "Practice Shop",
        others: Mapping[str, str] | None = None,
        client: ClientApp | None = None,
        signs: bool = True,
    ) -> None:
        self.state, self.now, self.api_key, self.audience, self.name = state, now, api_key, audience, name
        self.check, self.others, self.signs = check or (lambda *_: []), others or {}, signs
        self.consent = Consent(state, now, "Mailchimp", client, None, told=lambda _: {"scope": None})
        self.members = Members(state, lambda: text(now()))
        self.segments = Segments(state, self.members, lambda: text(now()))
        self.batches = Batches(state, self._operate, lambda: text(now()), polls=batch_polls)
        self.reports = Reports(state, audience, lambda: text(now()))
        self.faults = Faults()
        self._open = threading.Semaphore(AT_ONCE)
        self.app = self._app()

    def _app(self) -> Flask:
        app = Flask("practice mailchimp")
        install(app, self.faults, problem, wait_header=None)
        self.desk = Desk(app, self.people, self.add)
        app.register_error_handler(RefusedError, lambda error: respond(error.document, error.status))
        app.register_error_handler(HTTPException, lambda error: respond(problem(error.code or 500), error.code or 500))
        audience = "/3.0/lists/<audience>"
        endpoints: tuple[tuple[str, str, Callable[..., Answer]], ...] = (
            ("GET", "/3.0/lists", self._audiences),
            ("GET", audience, self._audience),
            ("POST", audience, self._upsert_many),
            ("GET", f"{audience}/members", self._list_members),
            ("POST", f"{audience}/members", self._add_member),
            ("GET", f"{audience}/members/<digest>", self._member),
            ("PUT", f"{audience}/members/<digest>", self._upsert_member),
            ("DELETE", f"{audience}/members/<digest>", self._archive_member),
            ("POST", f"{audience}/members/<digest>/tags", self._tag_member),
            ("GET", f"{audience}/segments", self._list_segments),
            ("POST", f"{audience}/segments", self._make_segment),
            ("GET", f"{audience}/segments/<segment>", self._segment),
            ("POST", f"{audience}/segments/<segment>", self._move),
            ("DELETE", f"{audience}/segments/<segment>", self._drop_segment),
            ("GET", f"{audience}/segments/<segment>/members", self._carriers),
            ("GET", f"{audience}/webhooks", self._list_hooks),
            ("POST", f"{audience}/webhooks", self._add_hook),
            ("PATCH", f"{audience}/webhooks/<hook>", self._change_hook),
            ("DELETE", f"{audience}/webhooks/<hook>", self._drop_hook),
            ("GET", "/3.0/reports", self._list_reports),
            ("GET", "/3.0/reports/<campaign>/<part>", self._report_part),
            ("POST", "/3.0/batches", self._start_batch),
            ("GET", "/3.0/batches/<batch>", self._batch),
        )
        for method, path, answer in endpoints:
            app.add_url_rule(path, answer.__name__, self._view(answer), methods=[method])
        app.add_url_rule("/results/<batch>.tar.gz", "results", self._results)
        self.consent.serve(app, "/oauth2/authorize", "/oauth2/token")
        app.add_url_rule("/oauth2/metadata", "metadata", self._metadata)
        return app

    def _view(self, answer: Callable[..., Answer]) -> Callable[..., Response]:
        def view(**parts: str) -> Response:
            with self._admitted():
                named = parts.pop("audience", self.audience)
                if named != self.audience:
                    return respond(*self._elsewhere(named))
                if request.method in ("POST", "PUT", "PATCH"):
                    self._inspect(request.method, request.path.removeprefix("/3.0"), self._body())
                with self.state.transaction():
                    self.batches.settle()
                    document, status = answer(**parts)
            return respond(document, status)

        return view

    @contextmanager
    def _admitted(self) -> Iterator[None]:
        given = request.authorization
        by_key = given is not None and given.type == "basic" and given.password == self.api_key
        by_token = given is not None and given.type == "bearer" and self.consent.scopes(given.token or "") is not None
        if not by_key and not by_token:
            raise RefusedError(401, "Your API key may be invalid, or you've attempted to access the wrong datacenter.")
        if not self._open.acquire(blocking=False):
            raise RefusedError(429, f"You have exceeded the limit of {AT_ONCE} simultaneous connections.")
        try:
            yield
        finally:
            self._open.release()

    @contextmanager
    def busy(self, connections: int) -> Iterator[None]:
        """Let others of the merchant's tools hold so many connections meanwhile."""
        with ExitStack() as held:
            for _ in range(connections):
                held.enter_context(self._open)
            yield

    def _inspect(self, method: str, path: str, body: Any) -> None:
        wrong = self.check(method, path, body)
        if wrong:
            raise RefusedError(400, "The resource submitted could not be validated.", [("", one) for one in wrong])

    def _body(self) -> Any:
        body = request.get_json(force=True, silent=True)
        if not isinstance(body, dict):
            raise RefusedError(400, "We encountered an unspecified JSON parsing error.")
        return body

    def _metadata(self) -> Response:
        """Tell of what a token is. Mailchimp answers 200 whatever it is."""
        token = request.headers.get("Authorization", "").removeprefix("OAuth ")
        if self.consent.scopes(token) is None:
            return jsonify({"error": "invalid_token"})
        return jsonify({"dc": CENTRE, "accountname": self.name, "api_endpoint": request.host_url.rstrip("/")})

    def _audiences(self) -> Answer:
        there = {self.audience: self.name, **self.others}
        return page("lists", [{"id": id_, "name": name} for id_, name in there.items()], request), 200

    def _elsewhere(self, audience: str) -> Answer:
        """Answer for an audience that nobody is in."""
        if audience not in self.others or request.method != "GET":
            raise RefusedError(404)
        last = request.path.rpartition("/")[2]
        about = {"id": audience, "name": self.others[audience], "stats": {"member_count": 0}}
        return (about if last == audience else page(last, [], request) | {"list_id": audience}), 200

    def _audience(self) -> Answer:
        return {"id": self.audience, "name": self.name, "stats": {"member_count": self.members.count()}}, 200

    def _list_members(self) -> Answer:
        there = (self.segments.shown(one) for one in self.members.listed(request.args.get("status")))
        return page("members", list(there), request) | {"list_id": self.audience}, 200

    def _member(self, digest: str) -> Answer:
        return self.segments.shown(self.members.known(digest)), 200

    def _add_member(self) -> Answer:
        return self.segments.shown(self.members.add(self._body())), 200

    def _upsert_member(self, digest: str) -> Answer:
        return self.segments.shown(self.members.upsert(digest, self._body())), 200

    def _upsert_many(self) -> Answer:
        return self.members.upsert_many(self._body()), 200

    def _archive_member(self, digest: str) -> Answer:
        self.members.archive(digest)
        return None, 204

    def _tag_member(self, digest: str) -> Answer:
        self.segments.tag(digest, self._body())
        return None, 204

    def _list_segments(self) -> Answer:
        kind = request.args.get("type")
        there = [one for one in self.segments.all() if kind in (None, one["type"])]
        return page("segments", there, request) | {"list_id": self.audience}, 200

    def _make_segment(self) -> Answer:
        return self.segments.make(self._body()), 200

    def _segment(self, segment: str) -> Answer:
        return self.segments.known(segment), 200

    def _move(self, segment: str) -> Answer:
        return self.segments.move(segment, self._body()), 200

    def _drop_segment(self, segment: str) -> Answer:
        self.segments.drop(segment)
        return None, 204

    def _carriers(self, segment: str) -> Answer:
        asked = [one for one in OTHERS if request.args.get(f"include_{one}") == "true"]
        return page("members", self.segments.carriers(segment, ("subscribed", *asked)), request), 200

    def hooks(self) -> list[Document]:
        return list(self.state.walk("hook"))

    def signature(self, hook: Document, body: bytes) -> dict[str, str]:
        """Return the header that proves a delivery, if the webhook is a signed one."""
        if not hook.get("signing_secret"):
            return {}
        at = str(round(self.now().timestamp()))
        signed = hmac.new(hook["signing_secret"].encode(), f"{at}.".encode() + body, sha256).hexdigest()
        return {"X-Mailchimp-Signature": f"t={at},v1={signed}"}

    def _list_hooks(self) -> Answer:
        shown = [{name: value for name, value in one.items() if name != "signing_secret"} for one in self.hooks()]
        return {"webhooks": shown, "total_items": len(shown)}, 200

    def _add_hook(self) -> Answer:
        signing = {"signing_enabled": True, "signing_secret": secrets.token_hex(16)} if self.signs else {}
        return self._keep_hook(f"hook{self.state.count('hook')}{secrets.token_hex(2)}", signing)

    def _change_hook(self, hook: str) -> Answer:
        kept = self.state.get("hook", hook) or {}
        answer, status = self._keep_hook(hook, {name: kept[name] for name in kept if name.startswith("signing_")})
        return {name: value for name, value in (answer or {}).items() if name != "signing_secret"}, status

    def _drop_hook(self, hook: str) -> Answer:
        self.state.delete("hook", hook)
        return None, 204

    def _keep_hook(self, key: str, signing: Document) -> Answer:
        self.state.set("hook", key, {"id": key, "list_id": self.audience, **self._body(), **signing})
        return self.state.get("hook", key), 200

    def _list_reports(self) -> Answer:
        return page("reports", self.reports.all(since("since_send_time")), request), 200

    def _report_part(self, campaign: str, part: str) -> Answer:
        found = self.reports.part(campaign, part, since("since"))
        return page(PARTS[part], found, request) | {"campaign_id": campaign}, 200

    def _start_batch(self) -> Answer:
        return self.batches.start(self._body()), 200

    def _batch(self, batch: str) -> Answer:
        return self.batches.poll(batch, request.host_url.rstrip("/")), 200

    def _results(self, batch: str) -> Response:
        """Give out an archive to whoever has its address. It lies in a storage that takes no credentials."""
        content = None if "Authorization" in request.headers else self.batches.archive(batch)
        return Response(content or b"<Error/>", 200 if content else 403, content_type="application/x-gzip")

    def _operate(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """Do one operation of a batch, as far as this stand-in knows it."""
        before, _, rest = path.partition(f"/lists/{self.audience}/members/")
        digest, _, last = rest.partition("/")
        try:
            if before or method != "POST" or last != "tags":
                raise RefusedError(404)
            self._inspect(method, path, body)
            self.segments.tag(digest, body)
        except RefusedError as error:
            return error.status, error.document
        return 204, None

    def add(self, people: Iterable[Mapping[str, Any]]) -> None:
        """Let these be in the audience ("email", perhaps "status", subscribed unless told otherwise, and "tags")."""
        for person in people:
            self.members.keep(self.members.new(person["email"], person.get("status", "subscribed")))
            if person.get("tags"):
                self.put(person["email"], person["tags"])

    def people(self) -> list[dict[str, Any]]:
        """Return every member's address, status and tags, the archived included, after the batches that are due."""
        self.batches.settle()
        names = self.segments.names()
        return [
            {"email": one["email_address"], "status": one["status"], "tags": sorted(names[tag] for tag in one["tags"])}
            for one in self.state.walk("member")
        ]

    @property
    def credentials(self) -> dict[str, str]:
        return {"api_key": self.api_key, "audience": self.audience}

    def tags(self) -> dict[str, set[str]]:
        return {one["email"]: set(one["tags"]) for one in self.people()}

    def put(self, email: str, tags: Collection[str]) -> None:
        for name in tags:
            self.segments.put(email, name)

    def remove(self, email: str) -> None:
        self.state.drop("member", email)

    def stop(self) -> None:
        self.faults.clear()


def since(name: str) -> str:
    """Return a moment that is asked for as it is kept, the first of all if none is."""
    given = request.args.get(name)
    return text(datetime.fromisoformat(given)) if given else ""


def respond(document: Any, status: int) -> Response:
    if document is None:
        return Response(status=status)
    response = jsonify(document)
    response.status_code = status
    if status >= 400:
        response.content_type = "application/problem+json"
    return response
