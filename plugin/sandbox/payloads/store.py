"""Payloads about the shop as a whole: app/uninstalled and shop/redact."""

from __future__ import annotations

from collections.abc import Sequence

from plugin.sandbox.model import Store

from .parts import Payload, gid

# Shopify tells an app that goes much about the shop; none of it is personal or used
UNKNOWN = (
    "source latitude longitude address2 created_at updated_at taxes_included auto_configure_tax_inclusivity "
    "tax_shipping county_taxes google_apps_domain google_apps_login_enabled password_enabled"
).split()
SWITCHED_ON = "has_discounts eligible_for_payments has_storefront finances checkout_api_supported".split()
SWITCHED_OFF = (
    "has_gift_cards requires_extra_payments_agreement multi_location_enabled setup_required pre_launch_enabled "
    "marketing_sms_consent_enabled_at_checkout transactional_sms_disabled"
).split()


def app_uninstalled(store: Store) -> Payload:
    with_currency = f"{{{{amount}}}} {store.currency}"
    return {
        "id": store.id,
        "name": store.name,
        "email": store.email,
        "customer_email": store.email,
        "domain": store.domain,
        "myshopify_domain": store.domain,
        "address1": "1 Harbour View",
        "city": "Bristol",
        "zip": "BS1 4DJ",
        "province": "England",
        "province_code": "ENG",
        "country": store.country,
        "country_code": store.country,
        "country_name": "United Kingdom",
        "phone": "",
        "shop_owner": "Robin Example",
        "primary_locale": "en",
        "currency": store.currency,
        "enabled_presentment_currencies": [store.currency],
        "timezone": f"(GMT+00:00) {store.zone}",
        "iana_timezone": store.zone,
        "money_format": "{{amount}}",
        "money_in_emails_format": "{{amount}}",
        "money_with_currency_format": with_currency,
        "money_with_currency_in_emails_format": with_currency,
        "weight_unit": "kg",
        "plan_display_name": "Basic",
        "plan_name": "basic",
        "primary_location_id": 1,
        **dict.fromkeys(UNKNOWN),
        **dict.fromkeys(SWITCHED_ON, True),
        **dict.fromkeys(SWITCHED_OFF, False),
    }


def shop_redact(store: Store) -> Payload:
    return {"shop_id": store.id, "shop_domain": store.domain}


def scopes_updated(store: Store, previous: Sequence[str], current: Sequence[str], at: str) -> Payload:
    return {
        "id": 1,
        "shop_id": gid("Shop", store.id),
        "previous": list(previous),
        "current": list(current),
        "updated_at": at.replace("Z", ".000Z"),
    }
