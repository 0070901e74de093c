"""Every page of the site, by its endpoint: found in the app itself, so that none is forgotten."""

import pytest
from cryptography.fernet import Fernet

from plugin.config import settings

# Not pages of the site: for machines, files, and what leads elsewhere.
NO_PAGES = (
    "api.",
    "pixel.",
    "receive.",
    "snippet.",
    "health.",
    "static",
    "consents.",
    "embedded.",
    "installs.callback",
)
# What an address asks for besides its ids, where without it there would be little to see, or nothing.
PAIR = "?one={segment_id}&other={other_segment_id}"
QUERIES = {
    "accounts.set_up": ["?code={code}"],
    "builder.values": ["?name=customer_tags"],
    "compared.show": ["", "?segment={segment_id}&segment={other_segment_id}"],
    "compared.sides": ["", PAIR],
    "conflicts.who": [PAIR],
    "gallery.one": ["?template=regulars"],
    "editor.new": ["", "?query=number_of_orders+%3E+1", "?query=number_of_order+%3E+1"],
    "home.cell": ["?recency=5&frequency=5"],
    "home.show": ["", "?days=365&by=spent"],
}


def rules():
    """Return every address of a page by its endpoint."""
    from plugin.app import create_app

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SECRET_KEY", "made up to look at addresses")
        patch.setenv("ENCRYPTION_KEYS", Fernet.generate_key().decode())
        settings.cache_clear()
        app = create_app()
    settings.cache_clear()
    return {
        rule.endpoint: rule
        for rule in app.url_map.iter_rules()
        if "GET" in rule.methods and not rule.endpoint.startswith(NO_PAGES)
    }


RULES = rules()


def addresses(endpoint, shop):
    """Return the addresses of a page in a shop, as a visitor of it opens them."""
    rule = RULES[endpoint]
    ids = shop.ids | {"customer_id": shop.somebody()}
    unknown = rule.arguments - ids.keys()
    assert not unknown, f"tests/browser/furnish.py names no {', '.join(unknown)} for {rule.rule}"
    _, path = rule.build({name: ids[name] for name in rule.arguments})
    return [path + query.format_map(ids) for query in QUERIES.get(endpoint, [""])]
