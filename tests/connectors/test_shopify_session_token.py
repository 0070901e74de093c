"""Shopify's session tokens: of exactly one kind, for our app, of one shop, and of now."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta

import pytest

from connectors.errors import SignatureError
from connectors.installs import AdminVisit
from connectors.stores.shopify import Shopify
from tests.connectors.test_shopify_install import APP, HUSH, HUSH_BEFORE, NOW, SHOP, SHOPIFY


def part(content):
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def token(secret=HUSH, header=None, **claims):
    at = NOW.timestamp()
    whole = {
        "iss": f"https://{SHOP}/admin",
        "dest": f"https://{SHOP}",
        "aud": APP["client_id"],
        "sub": "42",
        "exp": at + 60,
        "nbf": at,
        "iat": at,
    } | claims
    message = (
        f"{part(header or {'alg': 'HS256', 'typ': 'JWT'})}.{part({k: v for k, v in whole.items() if v is not ...})}"
    )
    digest = hmac.digest(secret.encode(), message.encode(), hashlib.sha256)
    return f"{message}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


class TestSessionToken:
    def test_says_who_is_looking(self):
        assert SHOPIFY.visit(token(), NOW) == AdminVisit(SHOP, "42")

    def test_the_secret_before_a_rotation_is_tried_too(self):
        assert SHOPIFY.visit(token(HUSH_BEFORE), NOW).account == SHOP
        with pytest.raises(SignatureError):
            SHOPIFY.visit(token("another"), NOW)

    @pytest.mark.parametrize("seconds", [-10, 0, 70])
    def test_ten_seconds_are_forgiven_at_either_end(self, seconds):
        SHOPIFY.visit(token(), NOW + timedelta(seconds=seconds))

    @pytest.mark.parametrize("seconds", [-11, 71, 86_400])
    def test_no_more_than_that(self, seconds):
        with pytest.raises(SignatureError, match="now"):
            SHOPIFY.visit(token(), NOW + timedelta(seconds=seconds))

    @pytest.mark.parametrize(
        "header",
        [
            *(
                {"alg": "none"},
                {"alg": "HS512"},
                {"alg": "hs256"},
                {"alg": "RS256"},
                {"alg": ["HS256"]},
                {"typ": "JWT"},
            ),
        ],
    )
    def test_no_other_algorithm_is_taken(self, header):
        with pytest.raises(SignatureError):
            SHOPIFY.visit(token(header=header), NOW)

    def test_one_without_a_signature_is_refused(self):
        message = token(header={"alg": "none"}).rpartition(".")[0]
        for unsigned in (message, f"{message}.", f"{message}.AA", f"{token()}.AA"):
            with pytest.raises(SignatureError):
                SHOPIFY.visit(unsigned, NOW)

    @pytest.mark.parametrize(
        "claims",
        [
            *({"aud": "another app"}, {"aud": [APP["client_id"]]}, {"aud": ...}, {"aud": ""}),
            *({"exp": ...}, {"nbf": ...}, {"exp": "later"}, {"nbf": None}, {"exp": True}),
            *({"dest": ...}, {"iss": ...}, {"dest": "https://other.myshopify.com"}),
            *({"iss": "https://other.myshopify.com/admin"}, {"dest": f"http://{SHOP}"}, {"dest": SHOP}, {"iss": 17}),
            {"iss": "https://evil.example/admin", "dest": "https://evil.example"},
            {"iss": f"https://x@{SHOP}/admin", "dest": f"https://x@{SHOP}"},
            {"iss": f"https://{SHOP}:8443/admin", "dest": f"https://{SHOP}:8443"},
            {"iss": "https://[", "dest": "https://["},
        ],
    )
    def test_a_claim_that_is_not_as_it_must_be_is_refused(self, claims):
        with pytest.raises(SignatureError):
            SHOPIFY.visit(token(**claims), NOW)

    @pytest.mark.parametrize(
        "text", ["", ".", "..", "a.b.c", "é.é.é", "\udcff", "A" * 5_000, "e30.e30.e30", "W10.W10.AA"]
    )
    def test_any_text_is_refused_and_never_fails_otherwise(self, text):
        with pytest.raises(SignatureError):
            SHOPIFY.visit(text, NOW)

    def test_an_app_without_an_id_takes_nothing(self):
        with pytest.raises(SignatureError):
            Shopify({"shop": "", **APP, "client_id": ""}).visit(token(aud=""), NOW)
