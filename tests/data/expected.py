"""What is true of `orders_export.csv`: each count was worked out from the file apart from any code of the project."""

from pathlib import Path

EXPORT = Path(__file__).with_name("orders_export.csv")
ZONE = "America/New_York"
CURRENCY = "USD"
AT = "2025-11-03T09:00"  # on the shop's clocks, the morning after they went back

ORDERS = 112  # that can be read, those of nobody included
UNREADABLE_LINES = (113, 151)  # lines of the file, of which a quoted field may take several

COUNTS: tuple[tuple[str | None, int], ...] = (
    (None, 54),
    ("number_of_orders >= 3", 11),
    ("number_of_orders = 1", 26),
    ("number_of_orders = 0", 1),
    ("amount_spent BETWEEN 50 AND 150.50", 18),
    ("last_order_date < -90d", 29),
    ("last_order_date <= -90d", 31),
    ("first_order_date >= -30d", 6),
    ("last_order_date = 2025-11-02", 1),
    ("customer_countries CONTAINS 'de'", 4),
    ("customer_countries NOT CONTAINS 'US' AND amount_spent >= 100", 6),
    ("products_purchased MATCHES (sku = 'MUG-01', date >= -180d, sum_quantity >= 4)", 3),
    ("products_purchased NOT MATCHES (date > -3m)", 29),
    ("products_purchased MATCHES (vendor = 'Hive', sum_amount >= 36)", 14),
    ("orders_placed MATCHES (date >= -90d, count >= 2, sum_amount >= 60)", 3),
    ("orders_placed MATCHES (discount_code = 'SPRING10')", 11),
    ("NOT (number_of_orders >= 2 OR amount_spent > 80)", 21),
    ("email_subscription_status = 'SUBSCRIBED'", 37),
    ("rfm_group = 'CHAMPIONS'", 2),
    ("rfm_group = 'DORMANT'", 13),
)
