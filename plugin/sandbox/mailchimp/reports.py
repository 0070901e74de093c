"""Campaigns that were sent and what became of them: figures in a report, and below it who did what, page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from plugin.sandbox.state import Document, State

from .members import digest
from .problems import RefusedError

PARTS = {
    "sent-to": "sent_to",
    "email-activity": "emails",
    "unsubscribed": "unsubscribes",
    "abuse-reports": "abuse_reports",
}


class Reports:
    def __init__(self, state: State, audience: str, at: Callable[[], str]) -> None:
        self.state, self.audience, self.at = state, audience, at

    def send(self, campaign: str, title: str, emails: Iterable[str]) -> None:
        """Let a campaign be sent now."""
        about = {"id": campaign, "title": title, "send_time": self.at(), "sent": list(emails)}
        self.state.set("campaign", campaign, {**about, "did": [], "left": [], "complained": []})

    def tell(self, campaign: str, kind: str, email: str, **more: Any) -> None:
        """Let something become of it now: of `did` an action, or that somebody `left` or `complained`."""
        known = self.known(campaign)
        known[kind].append({"email_address": email, "at": self.at(), **more})
        self.state.set("campaign", campaign, known)

    def known(self, campaign: str) -> Document:
        found = self.state.get("campaign", campaign)
        if found is None:
            raise RefusedError(404, "The requested resource could not be found.")
        return found

    def all(self, since: str) -> list[Document]:
        return [self.report(one) for one in self.state.walk("campaign") if one["send_time"] >= since]

    def report(self, campaign: Document) -> Document:
        def count(action: str, kind: str | None = None) -> int:
            return sum(one["action"] == action and one.get("type") == kind for one in campaign["did"])

        return {
            "id": campaign["id"],
            "list_id": self.audience,
            "type": "regular",
            "campaign_title": campaign["title"],
            "send_time": campaign["send_time"],
            "emails_sent": len(campaign["sent"]),
            "opens": {"opens_total": count("open")},
            "clicks": {"clicks_total": count("click")},
            "bounces": {"hard_bounces": count("bounce", "hard"), "soft_bounces": count("bounce", "soft")},
            "unsubscribed": len(campaign["left"]),
            "abuse_reports": len(campaign["complained"]),
        }

    def part(self, campaign: str, name: str, since: str) -> list[Document]:
        """Return what stands on the pages of a part; of activity what was done since, for everybody it was sent to."""
        known = self.known(campaign)
        bounced = {one["email_address"]: one["type"] for one in known["did"] if one["action"] == "bounce"}
        match name:
            case "sent-to":
                return [self.line(email, status=bounced.get(email, "sent")) for email in known["sent"]]
            case "email-activity":
                return [self.line(email, activity=self.activity(known, email, since)) for email in known["sent"]]
            case "unsubscribed":
                return [self.line(one["email_address"], timestamp=one["at"]) for one in known["left"]]
            case "abuse-reports":
                return [self.line(one["email_address"], date=one["at"]) for one in known["complained"]]
        raise RefusedError(404, "The requested resource could not be found.")

    def activity(self, campaign: Mapping[str, Any], email: str, since: str) -> list[Document]:
        told = [one for one in campaign["did"] if one["email_address"] == email and one["at"] >= since]
        shown = ("action", "type", "url")
        return [{"timestamp": one["at"], **{name: one[name] for name in shown if name in one}} for one in told]

    def line(self, email: str, **more: Any) -> Document:
        return {"email_id": digest(email), "email_address": email, "list_id": self.audience, **more}
