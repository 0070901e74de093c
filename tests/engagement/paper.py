"""A platform of the tests' own that tells of e-mails, from a package that is installed beside ours."""

from __future__ import annotations

import hmac
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from connectors.base import ApiKey, Connector, Identity
from connectors.engagement import HOOKS, SUPPLIED, EngagementHooks, EngagementSource, Told
from connectors.errors import PermanentError, SignatureError
from connectors.records import Event
from connectors.sources import Webhook
from connectors.writers import Windows

PER_CALL = 2


class Paper(Connector, EngagementSource, EngagementHooks):
    """`past` is what it tells, a few at a time; `asked` are the cursors it was asked with; `fails` the next answers."""

    slug = "paper"
    label = "Paper"
    role = "email"
    install = ApiKey(fields=("key",))
    supplies = SUPPLIED
    engagement_rates: ClassVar = {"events": Windows(((60, 4),)), HOOKS: Windows(((3600, 10),))}

    past: ClassVar[list[Event]] = []
    asked: ClassVar[list[tuple[Any, datetime]]] = []
    fails: ClassVar[list[Exception]] = []
    hooks: ClassVar[list[tuple[str, str]]] = []
    refuses: ClassVar[list[Exception]] = []

    @classmethod
    def fresh(cls) -> None:
        for one in (cls.past, cls.asked, cls.fails, cls.hooks, cls.refuses):
            one.clear()

    def check(self) -> Identity:
        return Identity("paper", "Paper")

    def endpoint(self, cursor: Any) -> str:
        return "events"

    def told(self, cursor: Any, since: datetime, now: datetime) -> Told:
        self.asked.append((cursor, since))
        if self.fails:
            raise self.fails.pop(0)
        at = cursor["at"] if cursor else 0
        found = [one for one in self.past if one.happened_at >= since]
        more = at + PER_CALL < len(found)
        part = found[at : at + PER_CALL]
        return Told(part, {"at": at + PER_CALL if more else max(0, len(found) - 1)}, more=more)

    def send_engagement(self, url: str, secret: str) -> str:
        if self.refuses:
            raise self.refuses.pop(0)
        if (url, secret) not in self.hooks:
            self.hooks.append((url, secret))
        return secret

    def proved(self, webhook: Webhook, secret: str) -> None:
        if not hmac.compare_digest(webhook.headers.get("x-paper-secret", ""), secret):
            raise SignatureError("paper: another secret")

    def engagement(self, webhook: Webhook) -> Sequence[Event]:
        try:
            told = json.loads(webhook.body)
            return [
                Event(one["id"], one["kind"], datetime.fromtimestamp(one["at"], UTC), email=one["email"])
                for one in told["events"]
            ]
        except (ValueError, KeyError, TypeError):
            raise PermanentError("paper: nobody can read this") from None
