"""Settings from the environment, and the secrets that development makes for itself."""

from __future__ import annotations

import json
import os
import secrets
from functools import cache
from pathlib import Path
from typing import Literal

from cryptography.fernet import Fernet
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parents[1]
APPS = (
    "shopify",
    "klaviyo",
    "mailchimp",
    "omnisend",
    "hubspot",
)  # platforms on which this installation may have an app of its own
HOME = ROOT if (ROOT / "pyproject.toml").exists() else Path.cwd()


class Settings(BaseSettings):
    """One environment variable a field, by its name in capitals. README lists them all."""

    model_config = SettingsConfigDict(extra="ignore")

    environment: Literal["development", "production"] = "development"
    instance_dir: Path = Field(default=HOME / "instance", description="Folder of the SQLite file and of made secrets")
    database_url: str = Field(default="", description="SQLAlchemy URL; default: a SQLite file in INSTANCE_DIR")
    secret_key: str = Field(default="", description="Signs the site's session cookies")
    encryption_keys: str = Field(default="", description="Fernet keys, newest first, separated by commas")
    public_url: str = Field(default="", description="Where platforms reach us; default: at PORT of this machine")
    port: int = Field(default=8000, description="Where the site listens")
    shopify_client_id: str = Field(default="", description="Client ID of our Shopify app, with its secret")
    shopify_client_secret: str = Field(default="", description="Client secret of our Shopify app")
    shopify_client_secret_old: str = Field(default="", description="The secret before, while it is being rotated")
    klaviyo_client_id: str = Field(default="", description="Client ID of our Klaviyo app, with its secret")
    klaviyo_client_secret: str = Field(default="", description="Client secret of our Klaviyo app")
    mailchimp_client_id: str = Field(default="", description="Client ID of our Mailchimp app, with its secret")
    mailchimp_client_secret: str = Field(default="", description="Client secret of our Mailchimp app")
    omnisend_client_id: str = Field(default="", description="Client ID of our Omnisend app, with its secret")
    omnisend_client_secret: str = Field(default="", description="Client secret of our Omnisend app")
    hubspot_client_id: str = Field(default="", description="Client ID of our HubSpot app, with its secret")
    hubspot_client_secret: str = Field(default="", description="Client secret of our HubSpot app")
    smtp_host: str = Field(default="", description="Server by which mail is sent; none: nothing is mailed")
    smtp_port: int = Field(default=587, description="Its port")
    smtp_tls: Literal["starttls", "tls", "none"] = Field(default="starttls", description="How it is encrypted")
    smtp_user: str = Field(default="", description="Who signs in there, with a password; none: nobody")
    smtp_password: str = Field(default="", description="The password")
    smtp_sender: str = Field(default="", description="Whom mail is from")
    proxies: int = Field(default=0, description="Proxies in front of the site whose X-Forwarded headers are believed")
    recompute_after_seconds: float = Field(default=15, description="From a change to the recompute that covers it")
    delivery_retention_days: int = Field(default=30, description="How long raw deliveries are kept")
    activity_retention_days: int = Field(default=400, description="How long it is kept which tags were written")
    site_event_retention_days: int = Field(default=400, description="How long views of the shop's pages are kept")
    engagement_every_seconds: float = Field(default=300, description="How often e-mail platforms are asked what came")
    engagement_history_days: int = Field(default=90, description="How far back they are asked at first")
    lease_seconds: float = Field(default=60, description="How long a lane stays with a worker that says nothing more")
    worker_threads: int = Field(default=4, description="Lanes worked at once by one worker process")
    clock_offset_seconds: float = Field(default=0, description="Shifts the clock in tests; refused in production")

    @property
    def production(self) -> bool:
        return self.environment == "production"

    @property
    def fernet_keys(self) -> list[str]:
        return [key.strip() for key in self.encryption_keys.split(",") if key.strip()]

    def app(self, platform: str) -> dict[str, str]:
        """Return the credentials of our own app on a platform, under connectors' names; empty where there is none."""
        client_id = getattr(self, f"{platform}_client_id", "")
        if not client_id:
            return {}
        secrets = {
            "api_secret": getattr(self, f"{platform}_client_secret", ""),
            "api_secret_old": getattr(self, f"{platform}_client_secret_old", ""),
        }
        return {"client_id": client_id} | secrets


class MissingSecretError(RuntimeError):
    """A secret that must be set is missing, or is not one that may be taken."""


@cache
def settings() -> Settings:
    """Return this process's settings, completed. MissingSecretError: secrets are missing or clash."""
    given = Settings()
    made = {} if given.production else development_secrets(given)
    given.secret_key = given.secret_key or made.get("secret_key", "")
    given.encryption_keys = given.encryption_keys or made.get("encryption_keys", "")
    given.public_url = given.public_url or f"http://127.0.0.1:{given.port}"
    given.database_url = driver_url(given.database_url or f"sqlite:///{given.instance_dir / 'tagsmith.sqlite'}")
    for name in ("secret_key", "encryption_keys"):
        if not getattr(given, name):
            raise MissingSecretError(f"{name.upper()} must be set in production")
    for app in APPS:
        if bool(getattr(given, f"{app}_client_id")) != bool(getattr(given, f"{app}_client_secret")):
            names = f"{app.upper()}_CLIENT_ID and {app.upper()}_CLIENT_SECRET"
            raise MissingSecretError(f"{names} are set together or not at all")
    if given.secret_key in (given.shopify_client_secret, given.shopify_client_secret_old):
        raise MissingSecretError("SECRET_KEY signs our sessions and must be another than Shopify's client secret")
    if given.smtp_host and "@" not in given.smtp_sender:
        raise MissingSecretError("SMTP_SENDER must be an address when SMTP_HOST is set")
    if given.production and given.clock_offset_seconds:
        raise MissingSecretError("CLOCK_OFFSET_SECONDS is for tests and must not be set in production")
    return given


def development_secrets(given: Settings) -> dict[str, str]:
    """Return the secrets kept in the instance folder, made on first use in a file that only its owner can read."""
    given.instance_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = given.instance_dir / "secrets.json"
    made = {"secret_key": secrets.token_urlsafe(32), "encryption_keys": Fernet.generate_key().decode()}
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.touch(mode=0o600, exist_ok=False)
    fresh.write_text(json.dumps(made))
    try:
        os.link(fresh, path)  # whole or not at all, and never over another process's
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
    kept: dict[str, str] = json.loads(path.read_text())
    return kept


def driver_url(url: str) -> str:
    """Name our Postgres driver in URLs as hosts give them."""
    for scheme in ("postgres://", "postgresql://"):
        if url.startswith(scheme):
            return "postgresql+psycopg://" + url.removeprefix(scheme)
    return url
