"""Klaviyo's events: what became of the e-mails that it sent, by metric and in the order of time."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from heapq import merge
from itertools import islice
from typing import Any

from flask import Request

from plugin.sandbox.state import Document, Entry, State

from .documents import collection, resource
from .filter import FilterError, terms, text_of
from .paging import cursor, following, page_size
from .problems import Problem, RefusedError

METRICS = (
    "Received Email",
    "Opened Email",
    "Clicked Email",
    "Bounced Email",
    "Marked Email as Spam",
    "Unsubscribed from Email Marketing",
)
OPERATORS = {
    "metric_id": ("equals",),
    "profile_id": ("equals",),
    "datetime": ("greater-or-equal", "greater-than", "less-or-equal", "less-than"),
    "integration.name": ("equals",),
}
PER_PAGE, MOST = 200, 1_000


class Events:
    """Kept by metric, so that a page is read from where the one before it ended. Metrics are there from the start."""

    def __init__(self, state: State) -> None:
        self.state = state

    def add(self, metric: str, profile_id: str, at: str, properties: Mapping[str, Any], id_: str = "") -> str:
        """Let something become of an e-mail; return the event's id. `at` is a text as `model.text` makes it."""
        event_id = id_ or uuid.uuid4().hex
        of = metric_id(metric)
        event = {"id": event_id, "metric": of, "profile": profile_id, "at": at, "properties": dict(properties)}
        self.state.put(kind(of), [Entry(event_id, event, moment=at)])
        return event_id

    def metrics(self, request: Request, origin: str) -> Document:
        wanted = {field: value for _, field, value in asked(request, {"integration.name"})}
        shown = METRICS if wanted.get("integration.name", "Klaviyo") == "Klaviyo" else ()
        return collection((metric(name, origin) for name in shown), {"self": request.url})

    def page(self, request: Request, origin: str) -> Document:
        """Return a page of one metric's events with the profiles that they are of, if those are asked for."""
        wanted = asked(request, OPERATORS.keys() - {"integration.name"})
        metrics = [value for _, field, value in wanted if field == "metric_id"] or list(map(metric_id, METRICS))
        if request.args.get("sort", "datetime") != "datetime":
            raise RefusedError(Problem(400, "The stand-in knows one order of events.", parameter="sort"))
        size = page_size(request.args.get("page[size]"), PER_PAGE, MOST)
        last = cursor(request.args.get("page[cursor]"))
        after = tuple(last.split(" ", 1)) if last else (lowest(wanted), "")
        walks = (self.state.walk(kind(one), "moment", after) for one in metrics)
        found = list(islice((one for one in merge(*walks, key=place) if fits(one, wanted)), size + 1))
        links = {"self": request.url}
        if len(found) > size:
            links["next"] = following(request, f"{found[size - 1]['at']} {found[size - 1]['id']}")
        page = found[:size]
        answer = collection((event(one, origin) for one in page), links)
        if "profile" in request.args.get("include", ""):
            answer["included"] = self.profiles(page, origin)
        return answer

    def profiles(self, page: Iterable[Document], origin: str) -> list[Document]:
        ids = dict.fromkeys(one["profile"] for one in page)
        known = ((id_, self.state.get("profile", id_)) for id_ in ids)
        return [
            resource("profile", id_, {"email": one["email"]}, f"{origin}/api/profiles/{id_}/")
            for id_, one in known
            if one
        ]


def asked(request: Request, fields: Iterable[str]) -> list[tuple[str, str, str]]:
    """Return operator, field and value of each filter of a request."""
    try:
        found = list(terms(request.args.get("filter", ""), {name: OPERATORS[name] for name in fields}))
        return [(operator, field, text_of(literal)) for operator, field, literal in found]
    except FilterError as error:
        raise RefusedError(Problem(400, str(error), parameter="filter")) from error


def lowest(wanted: Iterable[tuple[str, str, str]]) -> str:
    """Return a moment before which nothing is asked for."""
    return max((seconds(value) for operator, field, value in wanted if operator.startswith("greater")), default="")


def seconds(moment: str) -> str:
    """Return the second of a moment in UTC as a text that sorts like those of `model.text`, or just before them."""
    return moment[:19]


def fits(one: Document, wanted: Iterable[tuple[str, str, str]]) -> bool:
    at = seconds(one["at"])
    return all(
        {
            "greater-or-equal": at >= seconds(value),
            "greater-than": at > seconds(value),
            "less-or-equal": at <= seconds(value),
            "less-than": at < seconds(value),
        }[operator]
        for operator, field, value in wanted
        if field == "datetime"
    )


def place(one: Document) -> tuple[str, str]:
    return one["at"], one["id"]


def kind(metric: str) -> str:
    return f"event {metric}"


def metric_id(name: str) -> str:
    """Return a metric's id, the same in every account of ours: six letters and digits, as Klaviyo's are."""
    return f"M{METRICS.index(name):05}"


def metric(name: str, origin: str) -> Document:
    about = {"name": name, "integration": {"object": "integration", "name": "Klaviyo", "category": "Internal"}}
    return resource("metric", metric_id(name), about, f"{origin}/api/metrics/{metric_id(name)}/")


def event(one: Document, origin: str) -> Document:
    shown = resource(
        "event",
        one["id"],
        {"datetime": one["at"].replace("Z", "+00:00"), "event_properties": one["properties"]},
        f"{origin}/api/events/{one['id']}/",
    )
    related = {"profile": ("profile", one["profile"]), "metric": ("metric", one["metric"])}
    links = {name: {"data": {"type": type_, "id": id_}} for name, (type_, id_) in related.items()}
    return shown | {"relationships": links}
