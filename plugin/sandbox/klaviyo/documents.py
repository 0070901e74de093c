"""Klaviyo's JSON:API resources, made of what the stand-in keeps."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from typing import Any

from plugin.sandbox.model import moment, text
from plugin.sandbox.state import Document

from .problems import Problem, RefusedError
from .profiles import TEXTS, Profile

ACCOUNT_ID = "Pr4ct1"
PROFILE_FIELDS = (*TEXTS, "created", "updated", "last_event_date", "location", "properties")
ERROR_FIELDS = ("code", "title", "detail", "source", "original_payload")
JOBS_KEPT = timedelta(days=7)


def fields(wanted: str | None) -> Collection[str]:
    """Return the attributes of a profile that `fields[profile]` asks for: all unless it says otherwise."""
    names = wanted.split(",") if wanted else PROFILE_FIELDS
    if unknown := set(names) - {*PROFILE_FIELDS, "id"}:
        detail = f"'{min(unknown)}' is not a valid field for the resource 'profile'."
        raise RefusedError(Problem(400, detail, parameter="fields[profile]"))
    return names


def profile(profile: Profile, names: Collection[str], origin: str) -> Document:
    held: Mapping[str, Any] = {**profile, "last_event_date": None}
    attributes = {name: held[name] for name in PROFILE_FIELDS if name in names}
    return resource("profile", profile["id"], attributes, f"{origin}/api/profiles/{profile['id']}/")


def account(name: str, origin: str) -> Document:
    contact = {
        "default_sender_name": name,
        "default_sender_email": "owner@example.com",
        "website_url": None,
        "organization_name": name,
        "street_address": dict.fromkeys(("address1", "address2", "city", "region", "country", "zip")),
    }
    attributes = {
        "test_account": True,
        "contact_information": contact,
        "industry": None,
        "timezone": "Europe/London",
        "preferred_currency": "GBP",
        "public_api_key": ACCOUNT_ID,
        "locale": "en-GB",
    }
    return resource("account", ACCOUNT_ID, attributes, f"{origin}/api/accounts/{ACCOUNT_ID}/")


def job(job: Document, origin: str) -> Document:
    failed = len(job["errors"])
    done = job["status"] == "complete"
    attributes = {
        "status": job["status"],
        "created_at": job["created_at"],
        "started_at": job["started_at"],
        "completed_at": job["completed_at"],
        "expires_at": text(moment(job["created_at"]) + JOBS_KEPT),
        "total_count": job["total"],
        "completed_count": job["total"] - failed if done else 0,
        "failed_count": failed,
    }
    address = f"{origin}/api/profile-bulk-import-jobs/{job['id']}/"
    relationships = {"import-errors": {"links": {"related": f"{address}import-errors/"}}}
    return resource("profile-bulk-import-job", job["id"], attributes, address) | {"relationships": relationships}


def import_error(error: Document) -> Document:
    return {"type": "import-error", "id": error["id"], "attributes": {name: error[name] for name in ERROR_FIELDS}}


def resource(kind: str, id_: str, attributes: Mapping[str, Any], address: str) -> Document:
    return {"type": kind, "id": id_, "attributes": dict(attributes), "links": {"self": address}}


def collection(resources: Iterable[Document], links: Mapping[str, str]) -> Document:
    return {"data": list(resources), "links": dict(links)}
