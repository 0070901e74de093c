"""Keys of the API on the page and by command: shown once, kept as a hash, ended at once."""

import pytest

from plugin import seal
from plugin.__main__ import main
from plugin.config import settings
from plugin.db import reading, table
from plugin.events.shapes import CARRIED
from plugin.models.access import ApiKey, SiteKey
from plugin.models.shops import Route
from plugin.web.api.problems import TITLES
from tests.web.conftest import NOON


@pytest.fixture
def database_url(sqlite_databases):
    """One kind is enough: what the database is asked here is asked on both elsewhere."""
    with sqlite_databases() as address:
        yield address


def taken(site, key):
    """Whether an event is taken from whoever has a key."""
    event = {"id": "1", "kind": "call_received", "at": NOON.isoformat(), "customer": {"id": "1"}}
    headers = {"Authorization": f"Bearer {key}"}
    answer = site.app.test_client().post("/api/v1/events", json={"events": [event]}, headers=headers)
    return answer.status_code == 200


def kept(site, model):
    with reading(site.engine) as session:
        return session.execute(table(model).select()).all()


def test_a_key_is_shown_once_and_kept_as_a_hash_with_its_last_use(site, mine, visitor):
    page = visitor.post("/connections/keys", name="Call centre", **{"for": ["events:write"]}).text
    secret = page[page.index("tsk_") :].partition("<")[0]
    assert secret not in visitor.page("/connections/keys")
    assert secret not in repr(kept(site, ApiKey) + kept(site, Route))
    assert taken(site, secret)
    assert [row.last_used_at for row in kept(site, ApiKey) if row.name == "Call centre"] == [NOON]
    assert visitor.post("/connections/keys", name=" ", **{"for": ["events:write"]}).status_code == 400
    assert visitor.post("/connections/keys", name="For nothing").status_code == 400
    assert visitor.post("/connections/keys", name="For more", **{"for": ["everything"]}).status_code == 400


def test_a_revoked_key_is_no_key_from_then_on(site, mine, visitor):
    assert taken(site, mine.key)
    revoke = f"/connections/keys/{mine.ids['key_id']}/revoke"
    assert "Last used" in visitor.page("/connections/keys")
    for wrong in ("", "theirs calls"):
        assert "not its name" in visitor.said(visitor.post(revoke, name=wrong))
    assert taken(site, mine.key)
    assert "is revoked" in visitor.said(visitor.post(revoke, name=" Mine  CALLS"))
    assert not taken(site, mine.key)
    assert visitor.post(revoke, name="mine calls").status_code == 404


def test_keys_are_made_listed_and_revoked_by_command(site, mine, monkeypatch, capsys):
    monkeypatch.setenv("DATABASE_URL", site.engine.url.render_as_string(hide_password=False))
    settings.cache_clear()
    assert main(["api-keys", "add", "--shop", mine.domain, "CRM", "--scope", "events:write"]) == 0
    key_id, secret = capsys.readouterr().out.split()
    assert taken(site, secret)
    assert main(["api-keys", "list", "--shop", mine.domain]) == 0
    assert f"{key_id}\tCRM\tevents:write\t{NOON.isoformat()}\tgood" in capsys.readouterr().out
    assert main(["api-keys", "revoke", "--shop", mine.domain, key_id]) == 0
    assert not taken(site, secret)
    assert main(["api-keys", "revoke", "--shop", mine.domain, key_id]) == 1


def test_keys_for_pages_are_made_listed_sealed_anew_and_revoked_by_command(site, mine, monkeypatch, capsys):
    monkeypatch.setenv("DATABASE_URL", site.engine.url.render_as_string(hide_password=False))
    settings.cache_clear()
    assert main(["site-keys", "add", "--shop", mine.domain, "https://a.example.com"]) == 0
    name, secret = capsys.readouterr().out.split()
    assert main(["site-keys", "list", "--shop", mine.domain]) == 0
    assert f"{name}\thttps://a.example.com\tgood" in capsys.readouterr().out
    assert main(["rotate-keys"]) == 0
    with reading(site.engine) as session:
        kept = session.get(SiteKey, (mine.shop_id, name))
    assert seal.unseal(mine.shop_id, kept.sealed) == {"secret": secret}
    assert main(["site-keys", "revoke", "--shop", mine.domain, name]) == 0
    assert main(["site-keys", "revoke", "--shop", mine.domain, name]) == 1


def test_the_documentation_names_every_kind_and_every_problem(site):
    text = site.app.test_client().get("/docs/api").text
    assert all(f"<code>{kind}</code>" in text for kind in CARRIED)
    assert all(f'id="{kind}"' in text for kind in TITLES)
