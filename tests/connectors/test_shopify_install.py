"""Shopify's install: what is believed of a callback and of a session token, and what is made of a grant."""

import base64
import hashlib
import hmac
import json
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from connectors.errors import ConfigurationError, ConnectorError, PermanentError, RetryableError, SignatureError
from connectors.installs import Callback, EmbeddedPages
from connectors.stores.shopify import OPTIONAL_SCOPES, SCOPES, Shopify, install, signature
from connectors.stores.shopify.graphql import API_VERSION
from connectors.stores.shopify.subscriptions import COMPLIANCE
from tests.connectors.contract import NETWORK, STATUSES, answer_everything, everything_said

ROOT = Path(__file__).parents[2]
SHOP = "acme.myshopify.com"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TOKEN_URL = f"https://{SHOP}/admin/oauth/access_token"
HUSH, HUSH_BEFORE = "hush" * 8, "hush before" * 4
APP = {"client_id": "0123456789abcdef", "api_secret": HUSH, "api_secret_old": HUSH_BEFORE}
TOKENS = {"access_token": "shpat_made_up", "refresh_token": "shprt_made_up"}
CAME = Callback(SHOP, "c0de", "st4te")
SHOPIFY = Shopify({"shop": SHOP, **APP, **TOKENS, "expires_at": NOW.isoformat()})
HOST = base64.b64encode(b"admin.shopify.com/store/acme").decode()


def hex_digest(secret, message):
    return hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest()


def returned(secret=HUSH, **changes):
    """The parameters of a callback, signed by hand: values here need no encoding but for what %-encoding adds."""
    given = {
        "code": "c0de",
        "host": HOST.rstrip("="),
        "shop": SHOP,
        "state": "st4te",
        "timestamp": str(int(NOW.timestamp())),
    } | changes
    kept = {name: value for name, value in given.items() if value is not None}
    message = "&".join(f"{name}={value}" for name, value in sorted(kept.items()))
    return [*kept.items(), ("hmac", hex_digest(secret, message))]


class TestCallback:
    def test_is_believed_when_shopify_signed_it(self):
        came = SHOPIFY.called_back(returned(), NOW)
        assert (came.account, came.code, came.state) == (SHOP, "c0de", "st4te")
        assert "c0de" not in repr(came)

    def test_parameters_that_we_do_not_know_are_signed_as_well(self):
        SHOPIFY.called_back(returned(plan="new"), NOW)
        with pytest.raises(SignatureError):
            SHOPIFY.called_back([*returned(), ("plan", "new")], NOW)

    @pytest.mark.parametrize("name", ["code", "host", "shop", "state", "timestamp"])
    def test_a_parameter_that_was_changed_or_left_out_is_seen(self, name):
        given = returned()
        changed = [(one, "other" if one == name else value) for one, value in given]
        for query in (changed, [pair for pair in given if pair[0] != name]):
            with pytest.raises(SignatureError):
                SHOPIFY.called_back(query, NOW)

    @pytest.mark.parametrize("name", ["code", "hmac", "host", "shop", "state", "timestamp", "new"])
    def test_a_repeated_parameter_is_refused_even_with_the_same_value(self, name):
        given = returned(new="1")
        with pytest.raises(SignatureError, match="repeated"):
            SHOPIFY.called_back([*given, (name, dict(given)[name])], NOW)

    def test_a_list_is_refused_also_of_one(self):
        with pytest.raises(SignatureError, match="repeated"):
            SHOPIFY.called_back(returned(**{"ids[]": "1"}), NOW)

    def test_blanks_are_signed_as_percent_20(self):
        given = dict(returned(note="a%20b%2Bc%2Fd")) | {"note": "a b+c/d"}
        SHOPIFY.called_back(list(given.items()), NOW)

    def test_the_secret_before_a_rotation_still_signs_and_another_does_not(self):
        SHOPIFY.called_back(returned(HUSH_BEFORE), NOW)
        for secret in ("another", ""):
            with pytest.raises(SignatureError):
                SHOPIFY.called_back(returned(secret), NOW)

    def test_an_app_without_an_old_secret_takes_nothing_signed_with_an_empty_one(self):
        with pytest.raises(SignatureError):
            Shopify({"shop": SHOP, **APP, "api_secret_old": ""}).called_back(returned(""), NOW)

    @pytest.mark.parametrize("seconds", [-301, 301, 86_400 * 365])
    def test_one_that_is_not_of_now_is_refused(self, seconds):
        with pytest.raises(SignatureError, match="now"):
            SHOPIFY.called_back(returned(), NOW + timedelta(seconds=seconds))

    @pytest.mark.parametrize("timestamp", ["", "soon", "1e9", "-1", "１７", "9" * 40])
    def test_a_time_that_is_none_is_refused(self, timestamp):
        with pytest.raises(SignatureError):
            SHOPIFY.called_back(returned(timestamp=timestamp), NOW)

    @pytest.mark.parametrize(
        "shop",
        [
            *("evil.example", "acme.myshopify.com.evil.example", "acme.myshopify.com\n", "\nacme.myshopify.com"),
            *("-acme.myshopify.com", "acme.myshopify.com/", "a.b.myshopify.com", "acmé.myshopify.com", ""),
        ],
    )
    def test_only_a_name_under_myshopify_com_is_a_shop_even_if_signed(self, shop):
        with pytest.raises(SignatureError):
            SHOPIFY.called_back(returned(shop=shop), NOW)

    @pytest.mark.parametrize(
        "place",
        [
            *(b"evil.example/store/acme", b"admin.shopify.com.evil.example/store/a", b"admin.shopify.com/store/a/../b"),
            *(b"https://admin.shopify.com/store/acme", b"admin.shopify.com/store/acme\n", b"\xff"),
        ],
    )
    def test_a_host_that_hides_another_place_is_refused(self, place):
        hidden = base64.b64encode(place).decode().replace("=", "")
        with pytest.raises(SignatureError):
            SHOPIFY.called_back(returned(host=hidden), NOW)
        with pytest.raises(SignatureError):
            SHOPIFY.admin_url(SHOP, hidden)

    @pytest.mark.parametrize("given", ["é", "\udcff", "", "☕" * 40, "A" * 10_000])
    def test_a_signature_of_whatever_characters_is_refused(self, given):
        query = [(name, given if name == "hmac" else value) for name, value in returned()]
        with pytest.raises(SignatureError):
            SHOPIFY.called_back(query, NOW)

    def test_no_error_tells_the_code_or_a_secret(self):
        with pytest.raises(SignatureError) as caught:
            SHOPIFY.called_back(returned("another"), NOW)
        assert [one for one in ("c0de", HUSH) if one in everything_said(caught.value)] == []


# Worked out by openssl, of parameters in the order of their names, in another order, and of a body.
VECTOR = "760fccb39de31c2ada151e8babd6030ec7d462e2e2154f258fa53d5e8b86393d"
UNSORTED = "e23a26f334abcb090f40c47187d8e206a1fc15c3b10edc60fa9a256d423f9375"
WEBHOOK = "Mh0u9Cdbi/4bY4CJRxKKMK6SRO6BZ2bROkHEzBe64gQ="


class TestVectors:
    def test_a_made_up_query_has_the_signature_that_was_worked_out_elsewhere(self):
        given = {"shop": "made-up.myshopify.com", "code": "1", "hmac": VECTOR}
        install.verify_query(given, ["a made-up secret"])
        with pytest.raises(SignatureError):
            install.verify_query({**given, "hmac": UNSORTED}, ["a made-up secret"])

    def test_a_made_up_webhook_has_the_signature_that_was_worked_out_elsewhere(self):
        assert signature("a made-up secret", '{"id":1,"note":"☕ \\/ &"}'.encode()).decode() == WEBHOOK

    def test_the_vendors_vectors_pass_and_the_unsorted_one_is_refused(self, shared, subtests):
        vectors = json.loads((shared / "specs/hmac-vectors.json").read_bytes())
        ours = [one for one in vectors if "shopify" in one["name"]]
        assert len(ours) == 6
        for one in ours:
            with subtests.test(one["name"]):
                if "body" in one:
                    assert signature(one["secret"], one["body"].encode()).decode() == one["expected"]
                    continue
                query = [*parse_qsl(one["message"]), ("hmac", one["expected"])]
                if "array" in one["name"]:  # a list in a query is refused, whoever signed it
                    assert install.digest(one["secret"], one["message"].encode()).decode() == one["expected"]
                    with pytest.raises(SignatureError, match="repeated"):
                        install.single([("ids[]", "2"), ("ids[]", "1"), *query[1:]])
                elif "UNSORTED" in one["name"]:
                    with pytest.raises(SignatureError):
                        install.verify_query(install.single(query), [one["secret"]])
                else:
                    install.verify_query(install.single(query), [one["secret"]])


GRANTED = {
    "access_token": "shpat_new",
    "scope": "read_orders,write_customers",
    "expires_in": 3600,
    "refresh_token": "shprt_new",
    "refresh_token_expires_in": 7_776_000,
}
CODE, VISIT = "c0de", "t0ken"
ACTS = {
    "exchange": lambda: SHOPIFY.exchange(CAME, "https://tagsmith.example.com/back", NOW),
    "exchange_visit": lambda: SHOPIFY.exchange_visit(VISIT, NOW),
    "refresh": lambda: SHOPIFY.refresh(NOW),
}


class TestGrant:
    @pytest.mark.parametrize("act", sorted(ACTS))
    def test_is_kept_with_its_end_on_our_clock(self, api, act):
        api.post(TOKEN_URL, json=GRANTED)
        grant = ACTS[act]()
        assert grant.expires_at == NOW + timedelta(hours=1)
        assert grant.credentials == {
            "access_token": "shpat_new",
            "refresh_token": "shprt_new",
            "expires_at": "2026-11-22T13:00:00+00:00",
            "scope": "read_orders,write_customers",
        }
        assert Shopify({"shop": SHOP, **APP, **grant.credentials}).expires_at == grant.expires_at
        assert "shp" not in repr(grant)

    def test_asks_as_shopify_wants_to_be_asked(self, api):
        api.post(TOKEN_URL, json=GRANTED)
        for act in ACTS.values():
            act()
        code, visit, refresh = (json.loads(call.request.body) for call in api.calls)
        app = {"client_id": APP["client_id"], "client_secret": HUSH}
        assert code == {**app, "code": "c0de", "expiring": "1"}
        assert visit == {
            **app,
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "subject_token": "t0ken",
            "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
            "requested_token_type": "urn:shopify:params:oauth:token-type:offline-access-token",
            "expiring": "1",
        }
        assert refresh == {**app, "grant_type": "refresh_token", "refresh_token": "shprt_made_up"}

    def test_one_that_never_ends_is_never_refreshed(self, api):
        api.post(TOKEN_URL, json={"access_token": "shpat_new", "scope": "read_orders"})
        grant = ACTS["exchange"]()
        assert grant.expires_at is None
        kept = Shopify({**SHOPIFY.credentials, **grant.credentials})
        assert kept.expires_at is None
        assert kept.credentials["refresh_token"] == ""

    @pytest.mark.parametrize("body", [{}, [], None, {"access_token": ""}, {"access_token": 17}])
    def test_an_answer_without_a_token_is_none(self, api, body):
        api.post(TOKEN_URL, json=body)
        for act in ACTS.values():
            with pytest.raises(RetryableError):
                act()

    def test_a_session_token_that_is_over_is_told_from_other_refusals(self, api):
        api.post(TOKEN_URL, status=400, json={"error": "invalid_subject_token"})
        with pytest.raises(SignatureError):
            ACTS["exchange_visit"]()
        with pytest.raises(PermanentError):
            ACTS["exchange"]()

    @pytest.mark.parametrize("status", [400, 401, 403, 404])
    def test_a_refresh_token_that_is_refused_needs_the_merchant(self, api, status):
        api.post(TOKEN_URL, status=status, json={"error": "invalid_grant"})
        with pytest.raises(ConfigurationError, match="reconnect needed"):
            ACTS["refresh"]()

    @pytest.mark.parametrize(("status", "expected"), [pair for pair in STATUSES if pair[0] not in (401, 403, 422)])
    def test_what_will_pass_is_tried_again(self, api, status, expected):
        answer_everything(api, status=status, json={"errors": "no"}, headers={"Retry-After": "17"})
        for act in ACTS.values():
            with pytest.raises(expected) as caught:
                act()
            assert caught.value.retry_after == 17

    def test_no_error_tells_a_secret(self, api, subtests):
        told = [HUSH, "shprt_made_up", "shpat_made_up", "c0de", "t0ken"]
        answers = [{"status": status, "json": {"error": " ".join(told)}} for status, _ in STATUSES]
        for answer in [*answers, *({"body": failure(" ".join(told))} for failure in NETWORK)]:
            api.reset()
            answer_everything(api, **answer)
            for name, act in ACTS.items():
                with subtests.test(name), pytest.raises(ConnectorError) as caught:
                    act()
                assert [one for one in told if one in everything_said(caught.value)] == []

    @pytest.mark.parametrize("shop", ["evil.example", "", "acme.myshopify.com/x"])
    def test_the_apps_secret_goes_to_no_other_host(self, api, shop):
        stray = Shopify({**SHOPIFY.credentials, "shop": shop})
        for act in (lambda: stray.exchange(CAME, "", NOW), lambda: stray.refresh(NOW)):
            with pytest.raises(ConfigurationError):
                act()
        assert not api.calls


class TestAddresses:
    def test_the_page_of_consent_is_asked_for_an_offline_token(self):
        place = urlsplit(SHOPIFY.authorization_url("st4te", "https://tagsmith.example.com/install/shopify/callback"))
        assert (place.scheme, place.netloc, place.path) == ("https", SHOP, "/admin/oauth/authorize")
        assert parse_qs(place.query, keep_blank_values=True) == {
            "client_id": [APP["client_id"]],
            "scope": [",".join(SCOPES)],
            "redirect_uri": ["https://tagsmith.example.com/install/shopify/callback"],
            "state": ["st4te"],
            "grant_options[]": [""],
        }

    def test_the_apps_place_in_the_admin_is_what_host_says_or_the_shops(self):
        place = f"https://admin.shopify.com/store/acme/apps/{APP['client_id']}"
        assert SHOPIFY.admin_url("", HOST) == SHOPIFY.admin_url(SHOP, None) == place

    @pytest.mark.parametrize("shop", ["evil.example", "acme.myshopify.com evil.example", "a.myshopify.com;", ""])
    def test_nobody_but_a_shop_may_frame_a_page(self, shop):
        assert Shopify.framers(shop) == ()
        assert Shopify.framers("Acme.myshopify.com") == ("https://acme.myshopify.com", "https://admin.shopify.com")

    def test_it_can_be_installed_and_embedded(self):
        assert issubclass(Shopify, EmbeddedPages)


class TestConfiguration:
    """shopify.app.toml and the code say the same."""

    toml = tomllib.loads((ROOT / "shopify.app.toml").read_text())

    def test_the_scopes_are_those_of_the_code(self):
        assert tuple(self.toml["access_scopes"]["scopes"].split(",")) == SCOPES
        assert tuple(self.toml["access_scopes"]["optional_scopes"]) == OPTIONAL_SCOPES

    def test_the_topics_are_those_of_the_code(self):
        subscribed = self.toml["webhooks"]["subscriptions"]
        topics = [topic for one in subscribed for topic in one.get("topics", ())]
        compliance = [topic for one in subscribed for topic in one.get("compliance_topics", ())]
        assert sorted(topics) == sorted(Shopify.topics - COMPLIANCE)
        assert sorted(compliance) == sorted(COMPLIANCE)

    def test_the_version_is_that_of_the_code(self):
        assert self.toml["webhooks"]["api_version"] == API_VERSION

    def test_the_addresses_are_those_of_the_site(self):
        places = [self.toml["application_url"], *self.toml["auth"]["redirect_urls"]]
        places += [one["uri"] for one in self.toml["webhooks"]["subscriptions"]]
        assert {urlsplit(place).path for place in places} == {
            "/app/shopify",
            "/install/shopify/callback",
            "/webhooks/shopify",
        }
