"""What a shop's own customers have under a name, to choose from; and some who meet a query."""

from connectors.records import Address, LineItem, Product
from plugin.insight.choices import choices
from plugin.segments.asking.sample import sample
from plugin.segments.language.vocabulary import of


def test_values_are_those_of_the_shops_own_customers_the_most_usual_first(small):
    for number, (vendor, country) in enumerate([("Northfold", "GB"), ("Northfold", "DE"), ("Claywell", "DE")]):
        line = LineItem(f"l{number}", 1, product_id=str(number), variant_id=f"v{number}", title="Tea", vendor=vendor)
        small.order(f"c{number}", lines=(line,), discount_codes=("WELCOME10",), addresses=(Address(country=country),))
    small.hear(Product("1", small.now, title="Morning Blend"), Product("2", small.now, title="Card Set"))

    with small.change() as (session, shop):

        def told(name, parameter=None, like=""):
            row = of(session, shop).look_up(name)
            subject = row.parameters[parameter] if parameter else row
            found = choices(session, shop, subject, row if parameter else None, like)
            return [(one.value, one.label) for one in found]

        assert told("products_purchased", "vendor") == [("Northfold", "Northfold"), ("Claywell", "Claywell")]
        assert told("products_purchased", "vendor", "clay") == [("Claywell", "Claywell")]
        assert told("products_purchased", "id") == [("1", "Morning Blend"), ("2", "Card Set")]
        assert told("products_purchased", "id", "card") == [("2", "Card Set")]
        assert ("v0", "Tea") in told("products_purchased", "variant_id")
        assert told("orders_placed", "discount_code") == [("WELCOME10", "WELCOME10")]
        assert told("orders_placed", "country") == [("DE", "Germany"), ("GB", "United Kingdom")]
        assert told("customer_email_domain") == [("example.com", "example.com")]
        assert told("customer_cities") == [("US-CA-LosAngeles", "US-CA-LosAngeles")]  # nobody has one: an example
        assert told("rfm_group")[0] == ("PROSPECTS", "PROSPECTS")
        assert told("last_order_date") == []
        assert told("orders_placed", "amount") == []


def test_a_sample_holds_some_who_meet_a_query_and_nobody_else(small):
    for number in range(7):
        small.order(f"c{number}")
    small.order("c3")
    with small.change() as (session, shop):
        found = sample(session, shop, "number_of_orders = 1", most=5, seconds=60)
        assert len({one.customer_id for one in found} - {"c3"}) == len(found) == 5
        assert [one.email for one in sample(session, shop, "number_of_orders = 2", most=5, seconds=60)] == [
            "c3@example.com"
        ]
        assert sample(session, shop, "number_of_orders = 3", most=5, seconds=60) == []
