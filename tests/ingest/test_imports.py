"""What an import leaves behind beside the orders themselves."""

from sqlalchemy import text

from plugin import imports, shops
from plugin.db import transaction
from tests.data import expected


def test_after_an_import_the_database_knows_how_many_rows_it_plans_for(engine):
    with transaction(engine) as session:
        shop, _ = shops.add_shop(
            session, name="Gifts", platform="shopify", domain="gifts.example.com", zone="UTC", currency="GBP"
        )
    assert imports.import_orders(engine, shop.shop_id, expected.EXPORT).new == expected.ORDERS
    if engine.dialect.name == "postgresql":  # SQLite plans by its indexes alone
        with engine.connect() as connection:
            known = connection.scalar(text("SELECT reltuples FROM pg_class WHERE relname = 'orders'"))
        assert known == expected.ORDERS
