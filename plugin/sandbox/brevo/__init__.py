"""Brevo's stand-in: the contacts, lists, folders and webhooks of one account over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from plugin.sandbox.desk import Desk
from plugin.sandbox.email import Check
from plugin.sandbox.faults import Faults, install
from plugin.sandbox.limits import Left, Limits, Rates
from plugin.sandbox.model import text
from plugin.sandbox.state import Document, State

from .contacts import EMAIL, Contacts, counted
from .hooks import MOST, Hooks

__all__ = ["BrevoStandIn"]

RATES: Rates = {"contacts": ((1, 10), (3_600, 36_000)), "others": ((3_600, 100),)}
MOST_CONTACTS = 150
RESET = "x-sib-ratelimit-reset"
CODES: Mapping[int, str] = {
    400: "invalid_parameter",
    401: "unauthorized",
    404: "document_not_found",
    405: "method_not_allowed",
    425: "too_early",
    429: "too_many_requests",
}
Answer = tuple[Any, int]


class RefusedError(Exception):
    """The request is refused, for this reason."""

    def __init__(self, status: int, message: str, left: Left | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.left = status, message, left


class BrevoStandIn:
    """One account. `check` judges what is written to it."""

    def __init__(
        self,
        state: State,
        now: Callable[[], datetime],
        api_key: str,
        *,
        rates: Rates = RATES,
        check: Check | None = None,
        name: str = "Practice Shop",
    ) -> None:
        self.state, self.now, self.api_key, self.name = state, now, api_key, name
        self.check = check or (lambda *_: [])
        self.limits = Limits(rates, now)
        self.contacts = Contacts(state, lambda: text(now()))
        self.hooks = Hooks(state)
        self.faults = Faults()
        self.app = self._app()

    def _app(self) -> Flask:
        app = Flask("practice brevo")
        install(app, self.faults, lambda status: problem(status, "This is a drill."), RESET)
        self.desk = Desk(app, self.people, self.add)
        app.register_error_handler(RefusedError, refused)
        app.register_error_handler(HTTPException, lambda error: refused(RefusedError(error.code or 500, error.name)))
        endpoints: tuple[tuple[str, str, Callable[..., Answer]], ...] = (
            ("GET", "/account", self._account),
            ("GET", "/contacts", self._all),
            ("POST", "/contacts", self._upsert),
            ("POST", "/contacts/import", self._import),
            ("GET", "/contacts/<identifier>", self._contact),
            ("GET", "/contacts/folders", self._folders),
            ("POST", "/contacts/folders", self._make_folder),
            ("DELETE", "/contacts/folders/<int:folder_id>", self._drop_folder),
            ("GET", "/contacts/folders/<int:folder_id>/lists", self._lists),
            ("POST", "/contacts/lists", self._make_list),
            ("GET", "/contacts/lists/<list_id>", self._list),
            ("DELETE", "/contacts/lists/<list_id>", self._drop_list),
            ("GET", "/contacts/lists/<list_id>/contacts", self._listed),
            ("POST", "/contacts/lists/<list_id>/contacts/add", self._put_on),
            ("POST", "/contacts/lists/<list_id>/contacts/remove", self._take_off),
            ("GET", "/webhooks", self._hooks),
            ("POST", "/webhooks", self._make_hook),
            ("PUT", "/webhooks/<hook_id>", self._change_hook),
        )
        for method, path, answer in endpoints:
            app.add_url_rule(f"/v3{path}", f"{method} {path}", self._view(path, answer), methods=[method])
        return app

    def _view(self, path: str, answer: Callable[..., Answer]) -> Callable[..., Response]:
        def view(**parts: Any) -> Response:
            if request.headers.get("api-key") != self.api_key:
                raise RefusedError(401, "Key not found")
            left = self.limits.enter("contacts" if path.startswith("/contacts") else "others")
            if left and left.over:
                raise RefusedError(429, "API rate limit exceeded", left)
            if request.method in ("POST", "PUT"):
                wrong = self.check(request.method, request.path.removeprefix("/v3"), body())
                if wrong:
                    raise RefusedError(400, "; ".join(wrong))
            with self.state.transaction():
                return respond(*answer(**parts), left)

        return view

    def _account(self) -> Answer:
        dates = {"timezone": "Europe/London", "timeFormat": "24", "dateFormat": "dd-mm-yyyy"}
        about = {"organization_id": "5fa2b8c123456789abcdef01", "companyName": self.name, "dateTimePreferences": dates}
        return about | {"email": "owner@example.com", "plan": [{"type": "free", "credits": 300}]}, 200

    def _all(self) -> Answer:
        newest_first = request.args.get("sort", "desc") == "desc"
        return page("contacts", self.contacts.all(newest_first=newest_first), 50, 1_000), 200

    def _contact(self, identifier: str) -> Answer:
        kind = request.args.get("identifierType") or ("contact_id" if identifier.isdigit() else "email_id")
        if kind == "email_id" and not EMAIL.fullmatch(identifier):
            raise RefusedError(400, "Invalid email address")
        find = {"email_id": self.contacts.by_email, "contact_id": self.contacts.by_id}[kind]
        return there(find(identifier), "Contact does not exist") | {"statistics": {}}, 200

    def _upsert(self) -> Answer:
        contact, new = self.contacts.upsert(body())
        if not new and not body().get("updateEnabled"):
            raise RefusedError(400, "Contact already exist")
        return {"id": contact["id"]}, 201 if new else 204

    def _import(self) -> Answer:
        for one in body()["jsonBody"]:
            self.contacts.upsert({"listIds": body().get("listIds"), **one})
        return {"processId": 1}, 202

    def _folders(self) -> Answer:
        return page("folders", map(counted, self.state.walk("folder")), 10, 50), 200

    def _make_folder(self) -> Answer:
        return {"id": self.contacts.make_folder(named())["id"]}, 201

    def _drop_folder(self, folder_id: int) -> Answer:
        """Delete a folder and all that is in it."""
        for one in list(self.contacts.lists(folder_id)):
            self.contacts.drop_list(str(one["id"]))
        if not self.state.delete("folder", str(folder_id)):
            raise RefusedError(404, "Folder ID does not exist")
        return None, 204

    def _lists(self, folder_id: int) -> Answer:
        there(self.state.get("folder", str(folder_id)), "Folder ID does not exist")
        return page("lists", map(counted, self.contacts.lists(folder_id)), 10, 50), 200

    def _make_list(self) -> Answer:
        folder = there(self.state.get("folder", str(body().get("folderId"))), "Folder ID does not exist")
        return {"id": self.contacts.make_list(named(), folder["id"])["id"]}, 201

    def _list(self, list_id: str) -> Answer:
        return counted(there(self.state.get("list", list_id), "List ID does not exist")), 200

    def _drop_list(self, list_id: str) -> Answer:
        if not self.contacts.drop_list(list_id):
            raise RefusedError(404, "List ID does not exist")
        return None, 204

    def _listed(self, list_id: str) -> Answer:
        found = there(self.state.get("list", list_id), "List ID does not exist")
        newest_first = request.args.get("sort", "desc") == "desc"
        on = (one for one in self.contacts.all(newest_first=newest_first) if found["id"] in one["listIds"])
        return page("contacts", on, 50, 500), 200

    def _put_on(self, list_id: str) -> Answer:
        return self._put(list_id, on=True)

    def _take_off(self, list_id: str) -> Answer:
        return self._put(list_id, on=False)

    def _put(self, list_id: str, *, on: bool) -> Answer:
        """Move contacts that exist. One that is where it should be fails, and when all do, the call does."""
        there(self.state.get("list", list_id), "List ID does not exist")
        [(kind, given)] = body().items()
        if kind not in ("ids", "emails") or not 1 <= len(given) <= MOST_CONTACTS:
            raise RefusedError(400, f"Give between 1 and {MOST_CONTACTS} ids or emails")
        found = {one: self.contacts.by_id(str(one)) if kind == "ids" else self.contacts.by_email(one) for one in given}
        changed = {one["id"] for one in self.contacts.put(int(list_id), found.values(), on=on)}
        success = [one for one, contact in found.items() if contact and contact["id"] in changed]
        if not success:
            raise RefusedError(400, f"Contact already {'in' if on else 'removed from'} list and/or does not exist")
        return {"contacts": {"success": success, "failure": [one for one in given if one not in success]}}, 201

    def _hooks(self) -> Answer:
        return {"webhooks": self.hooks.all(request.args.get("type", "transactional"))}, 200

    def _make_hook(self) -> Answer:
        if self.state.count("webhook") >= MOST:
            raise RefusedError(400, "Maximum number of webhooks reached")
        return {"id": self.hooks.make(body())["id"]}, 201

    def _change_hook(self, hook_id: str) -> Answer:
        self.hooks.change(there(self.state.get("webhook", hook_id), "Webhook ID does not exist"), body())
        return None, 204

    def add(self, people: Iterable[Mapping[str, Any]]) -> list[int]:
        """Make contacts of these; return their ids."""
        made = [self.contacts.make(**person) for person in people]
        self.contacts.keep(made)
        return [contact["id"] for contact in made]

    def people(self) -> list[dict[str, Any]]:
        shown = ("id", "email", "listIds", "emailBlacklisted")
        return [{name: contact[name] for name in shown} for contact in self.contacts.all()]

    @property
    def credentials(self) -> dict[str, str]:
        return {"api_key": self.api_key}

    def tags(self) -> dict[str, set[str]]:
        """Return by address the names of the lists that each contact is on."""
        names = {one["id"]: one["name"] for one in self.contacts.lists()}
        return {one["email"]: {names[list_id] for list_id in one["listIds"]} for one in self.contacts.all()}

    def put(self, email: str, tags: Collection[str]) -> None:
        for tag in sorted(tags):
            self.contacts.put(self.contacts.merchants(tag)["id"], [self.contacts.by_email(email)], on=True)

    def remove(self, email: str) -> None:
        self.state.drop("contact", email)

    def stop(self) -> None:
        self.faults.clear()


def body() -> Any:
    found = request.get_json(force=True, silent=True)
    if not isinstance(found, dict):
        raise RefusedError(400, "Invalid JSON")
    return found


def named() -> str:
    name = body().get("name")
    if not isinstance(name, str) or not 1 <= len(name) <= 255:
        raise RefusedError(400, "name is not valid")
    return name


def there(found: Document | None, otherwise: str) -> Document:
    if found is None:
        raise RefusedError(404, otherwise)
    return found


def page(key: str, found: Iterable[Document], usual: int, most: int) -> Document:
    limit, offset = (request.args.get(name, default, int) for name, default in (("limit", usual), ("offset", 0)))
    if not 0 <= limit <= most:
        raise RefusedError(400, "Limit exceeds max value")
    everything = list(found)
    return {key: list(islice(everything, offset, offset + limit)), "count": len(everything)}


def problem(status: int, message: str) -> Document:
    return {"code": CODES.get(status, "internal_error"), "message": message}


def refused(error: RefusedError) -> Response:
    return respond(problem(error.status, error.message), error.status, error.left)


def respond(document: Any, status: int, left: Left | None) -> Response:
    response = Response(status=status) if document is None else jsonify(document)
    response.status_code = status
    if left:
        response.headers["x-sib-ratelimit-limit"] = str(left.limit)
        response.headers["x-sib-ratelimit-remaining"] = str(left.remaining)
        response.headers[RESET] = str(left.reset)
    return response
