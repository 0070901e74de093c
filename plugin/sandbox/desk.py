"""Where tests ask a stand-in what it was asked and whom it knows, in the process or over HTTP."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flask import Flask, Response, g, jsonify, request

KEPT = 5_000

Person = Mapping[str, Any]


class Desk:
    """`requests` holds what was asked, oldest first: method, path, query, body, status, and the fault if one struck."""

    def __init__(
        self, app: Flask, people: Callable[[], list[dict[str, Any]]], add: Callable[[Iterable[Person]], object]
    ) -> None:
        self.requests: deque[dict[str, Any]] = deque(maxlen=KEPT)
        app.after_request(self._note)
        app.add_url_rule("/_practice/requests", view_func=self._requests, methods=["GET", "DELETE"])

        @app.get("/_practice/people")
        def everybody() -> Response:
            return jsonify(people())

        @app.post("/_practice/people")
        def newcomers() -> tuple[Response, int]:
            try:
                add(request.get_json())
            except (TypeError, ValueError) as error:
                return jsonify({"error": str(error)}), 400
            return jsonify(people()), 201

    def _note(self, response: Response) -> Response:
        if not request.path.startswith("/_practice/"):
            fault = getattr(g, "fault", None)
            self.requests.append(
                {
                    "method": request.method,
                    "path": request.path,
                    "query": request.args.to_dict(),
                    "body": readable(request.get_data()),
                    "status": response.status_code,
                    "fault": fault.kind if fault else None,
                }
            )
        return response

    def _requests(self) -> Response:
        if request.method == "DELETE":
            self.requests.clear()
        return jsonify(list(self.requests))


def readable(body: bytes) -> Any:
    """Return the JSON in `body`, else its text."""
    text = body.decode(errors="replace")
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text
