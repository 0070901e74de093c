"""Segments that shops ask for again and again: what each is for, what to do with its members, and its query.

A name in braces is a threshold of the shop's own, which `thresholds` learns.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from connectors.phrases import phrase

CONSENT = "email_subscription_status = 'SUBSCRIBED'"
BRACES = re.compile(r"{(\w+)}")


@dataclass(frozen=True)
class Template:
    """One of them. `actions` are suggestions, the most usual first."""

    key: str
    family: str
    name: str
    purpose: str
    query: str
    actions: tuple[str, ...]

    @property
    def thresholds(self) -> Sequence[str]:
        """Return what has to be learned for it, each once."""
        return tuple(dict.fromkeys(BRACES.findall(self.query)))

    def as_phrases(self) -> Template:
        """Return it with texts that can be said in any language."""
        texts = {"name": phrase(self.name), "purpose": phrase(self.purpose)}
        return replace(self, **texts, actions=tuple(map(phrase, self.actions)))

    def written(self, values: Mapping[str, str]) -> str:
        """Return its query with the thresholds put in."""
        return BRACES.sub(lambda found: values[found[1]], self.query)


BASICS, LIFECYCLE, VALUE, TASTE, PERSON, SEASON = "basics", "lifecycle", "value", "taste", "person", "season"

TEMPLATES: Mapping[str, Template] = {
    one.key: one.as_phrases()
    for one in (
        Template(
            "bought_once_or_more",
            BASICS,
            "Have bought",
            "Everybody who has ever bought, as Shopify's default segment has it.",
            "number_of_orders >= 1",
            ("News about what they bought", "Ask for a review", "Leave out of first-order offers"),
        ),
        Template(
            "email_subscribers",
            BASICS,
            "E-mail subscribers",
            "Whoever may be written to by e-mail.",
            CONSENT,
            ("Newsletter", "Announce what is new"),
        ),
        Template(
            "abandoned_checkouts",
            BASICS,
            "Left a checkout in the last 30 days",
            "They were about to buy, and may still.",
            "abandoned_checkout_date >= -30d",
            ("Remind them of what they left", "Answer what kept them: delivery, returns, sizes"),
        ),
        Template(
            "bought_more_than_once",
            BASICS,
            "Have bought more than once",
            "They came back: what they like is what the shop is good at.",
            "number_of_orders > 1",
            ("Ask what brought them back", "Invite to a loyalty programme", "Recommend to a friend"),
        ),
        Template(
            "never_bought",
            BASICS,
            "Have not bought yet",
            "Known to the shop, and without an order.",
            "number_of_orders = 0",
            ("Welcome series", "Best sellers with what buyers say of them"),
        ),
        Template(
            "first_time",
            LIFECYCLE,
            "First order in the last 30 days",
            "The weeks after a first order decide whether there is a second.",
            "number_of_orders = 1 AND first_order_date >= -30d",
            ("Thank them in person", "Show how to use what they bought", "Ask how it was"),
        ),
        Template(
            "second_order_window",
            LIFECYCLE,
            "Due for a second order",
            "One order, and as long ago as others take for their second.",
            "number_of_orders = 1 AND last_order_date BETWEEN -{at_risk_days}d AND -{usual_days}d",
            ("What goes well with the first order", "A small reason to come back"),
        ),
        Template(
            "one_time",
            LIFECYCLE,
            "Bought once and not again",
            "One order, longer ago than most others wait.",
            "number_of_orders = 1 AND last_order_date < -{at_risk_days}d",
            ("Ask what was missing", "Show another side of the range"),
        ),
        Template(
            "regulars",
            LIFECYCLE,
            "Regulars",
            "The tenth of the buyers who order most often.",
            "number_of_orders >= {many_orders}",
            ("Early access", "A subscription or a stock-up offer", "Ask before changing the range"),
        ),
        Template(
            "at_risk",
            LIFECYCLE,
            "At risk",
            "They used to come back and are late by this shop's own rhythm.",
            "number_of_orders >= 2 AND last_order_date < -{at_risk_days}d AND last_order_date >= -{lapsed_days}d",
            ("Remind them of what they like", "Ask whether something went wrong", "No discount yet"),
        ),
        Template(
            "lapsed",
            LIFECYCLE,
            "Lapsed",
            "Without an order for longer than nine of ten others have ever waited.",
            "last_order_date < -{lapsed_days}d",
            ("One last good offer", "Write more seldom", "Leave out of paid audiences"),
        ),
        Template(
            "win_back",
            LIFECYCLE,
            "Win back",
            "Regular customers who lapsed not long ago and may be written to.",
            "number_of_orders >= 2 AND last_order_date BETWEEN -{twice_lapsed_days}d AND -{lapsed_days}d"
            f" AND {CONSENT}",
            ("What is new since their last order", "An offer that ends", "A hand-written note to the best"),
        ),
        Template(
            "new_subscribers",
            LIFECYCLE,
            "New subscribers without an order",
            "They signed up within a month and have not bought.",
            f"number_of_orders = 0 AND customer_added_date >= -30d AND {CONSENT}",
            ("Welcome series", "The story of the shop", "Help them choose"),
        ),
        Template(
            "waiting_subscribers",
            LIFECYCLE,
            "Subscribed for long, never bought",
            "They read along and have not bought in three months.",
            f"number_of_orders = 0 AND customer_added_date < -90d AND {CONSENT}",
            ("Ask what they are looking for", "Write more seldom"),
        ),
        Template(
            "due_again",
            LIFECYCLE,
            "Expected to order in the next two weeks",
            "Their own rhythm says that an order is near.",
            "expected_next_order_date BETWEEN today AND +14d",
            ("Remind them in time", "Suggest the usual"),
        ),
        Template(
            "cart_abandoners",
            LIFECYCLE,
            "Left a cart this week, may be written to",
            "The warmest of all reminders.",
            f"abandoned_checkout_date >= -7d AND {CONSENT}",
            ("Remind after hours, not days", "Offer help rather than a discount"),
        ),
        Template(
            "big_carts",
            LIFECYCLE,
            "Left a large cart",
            "A cart worth more than most orders was left behind.",
            "carts MATCHES (status = 'abandoned', amount >= {high_order}, date >= -14d)",
            ("A personal message", "Offer to pay in parts", "Ask whether something is unclear"),
        ),
        Template(
            "vip",
            VALUE,
            "VIP",
            "The tenth of the buyers who spend most; they often bring half of the revenue.",
            "amount_spent >= {top_spend}",
            ("Early access", "Free shipping", "Gifts", "A named contact"),
        ),
        Template(
            "vip_slipping",
            VALUE,
            "VIP, and late",
            "High spenders who are late by the shop's own rhythm: the dearest to lose.",
            "amount_spent >= {top_spend} AND last_order_date < -{at_risk_days}d",
            ("A call or a personal message", "Ask before offering"),
        ),
        Template(
            "champions",
            VALUE,
            "Champions",
            "Lately, often and much: the best by all three measures.",
            "rfm_group = 'CHAMPIONS'",
            ("Ask for reviews and referrals", "Preview what is new", "No discounts: they buy anyway"),
        ),
        Template(
            "loyal",
            VALUE,
            "Loyal",
            "They order often and spend well.",
            "rfm_group = 'LOYAL'",
            ("Loyalty programme", "Recommend the next step up"),
        ),
        Template(
            "previously_loyal",
            VALUE,
            "Previously loyal",
            "The best of old, not seen for long.",
            "rfm_group = 'PREVIOUSLY_LOYAL'",
            ("Ask why", "Win back with what they used to buy"),
        ),
        Template(
            "high_average",
            VALUE,
            "High average order",
            "The quarter of the repeat buyers whose orders are largest.",
            "number_of_orders >= 2 AND average_order_value >= {high_order}",
            ("Bundles and premium lines", "Free shipping from a higher amount"),
        ),
        Template(
            "big_first_order",
            VALUE,
            "Big first order",
            "One order, larger than nine of ten first orders.",
            "number_of_orders = 1 AND orders_placed MATCHES (amount >= {big_first_order})",
            ("Thank them in person", "A named contact", "See to it that the second is easy"),
        ),
        Template(
            "likely_to_leave",
            VALUE,
            "Valuable, and likely to leave",
            "High spenders of whom no order is expected within 90 days.",
            "amount_spent >= {top_spend} AND churn_risk >= 0.7",
            ("Ask how they are", "An offer made for them"),
        ),
        Template(
            "promising",
            VALUE,
            "More to come",
            "They have spent little so far, and much is expected of the next year.",
            "spend_percentile < 75 AND predicted_value >= {high_order}",
            ("Introduce the range", "Loyalty programme from the start"),
        ),
        Template(
            "refunders",
            VALUE,
            "Send much back",
            "Two refunds or more in half a year.",
            "refunds MATCHES (date >= -180d, count >= 2)",
            ("Better help with sizes and choice", "Ask what did not fit", "Leave out of free-return offers"),
        ),
        Template(
            "discount_only",
            TASTE,
            "Buy with discounts only",
            "They never order without one.",
            "discount_habit = 'DISCOUNT_ONLY'",
            ("Clearance first", "Value instead of price: bundles, gifts", "Leave out of full-price launches"),
        ),
        Template(
            "full_price",
            TASTE,
            "Buy at full price",
            "They have never needed a discount.",
            "discount_habit = 'FULL_PRICE'",
            ("Leave out of discounts", "New and limited lines first"),
        ),
        Template(
            "discounted_lately",
            TASTE,
            "Used a discount lately",
            "At least one discounted order in 90 days.",
            "orders_placed MATCHES (discounted = true, date >= -90d)",
            ("Full-price reasons next", "Tell of the next sale early"),
        ),
        Template(
            "type_loyalists",
            TASTE,
            "Loyal to the best-selling type",
            "Three orders or more with the type of product that sells most.",
            "products_purchased MATCHES (type = '{top_type}', count >= 3)",
            ("What is new of this type", "Care, refills, accessories"),
        ),
        Template(
            "vendor_fans",
            TASTE,
            "Fans of the best-selling vendor",
            "Two orders or more from the vendor who sells most.",
            "products_purchased MATCHES (vendor = '{top_vendor}', count >= 2)",
            ("New from this vendor first", "Vendors like it"),
        ),
        Template(
            "window_shoppers",
            TASTE,
            "Look often, have not bought lately",
            "Three views or more in two weeks, and no order in them.",
            "storefront.product_viewed MATCHES (date >= -14d, count >= 3) AND NOT orders_placed MATCHES (date >= -14d)",
            ("Help them choose", "Tell when it is back or reduced"),
        ),
        Template(
            "mobile",
            TASTE,
            "Mobile shoppers",
            "They order by phone.",
            "devices CONTAINS 'mobile'",
            ("Short texts, large buttons", "SMS where they agreed to it"),
        ),
        Template(
            "birthday",
            PERSON,
            "Birthday in the next 30 days",
            "A good reason to write.",
            "anniversary('attributes.birth_date') BETWEEN today AND +30d",
            ("Congratulate, with a gift", "Not on the day alone: parcels take time"),
        ),
        Template(
            "local",
            PERSON,
            "Local",
            "In the town where most customers are.",
            "customer_cities CONTAINS '{home_city}'",
            ("Events and openings", "Collect in store", "Same-day delivery"),
        ),
        Template(
            "abroad",
            PERSON,
            "Buy from abroad",
            "Buyers outside the country where most are.",
            "number_of_orders >= 1 AND customer_countries NOT CONTAINS '{home_country}'",
            ("Last days for posting", "Duties and returns explained"),
        ),
        Template(
            "promoters",
            PERSON,
            "Promoters",
            "They would recommend the shop: 9 or 10 of 10.",
            "nps_group = 'PROMOTER'",
            ("Ask for a review", "Give them something to pass on"),
        ),
        Template(
            "detractors",
            PERSON,
            "Detractors",
            "They would not recommend the shop: 6 of 10 or less.",
            "nps_group = 'DETRACTOR'",
            ("Have somebody call", "Leave out of promotions until it is mended"),
        ),
        Template(
            "not_subscribed",
            PERSON,
            "Buyers who may not be written to",
            "They buy and have not agreed to e-mail: to be reached in other ways.",
            "number_of_orders >= 1 AND email_subscription_status != 'SUBSCRIBED'",
            ("Ask with the order, once", "A card in the parcel", "Never by e-mail"),
        ),
        Template(
            "companies",
            PERSON,
            "Companies",
            "They buy for a company.",
            "companies IS NOT NULL",
            ("Volume prices", "A named contact", "Invoices and terms"),
        ),
        Template(
            "fathers_day",
            SEASON,
            "Father's Day gift buyers",
            "They ordered in the two weeks before the last Father's Day.",
            "orders_placed MATCHES (date BETWEEN {fathers_day_from} AND {fathers_day})",
            ("Gift guide three weeks before", "Last day for posting", "Gift wrapping"),
        ),
        Template(
            "mothers_day",
            SEASON,
            "Mother's Day gift buyers",
            "They ordered in the two weeks before the last Mother's Day.",
            "orders_placed MATCHES (date BETWEEN {mothers_day_from} AND {mothers_day})",
            ("Gift guide three weeks before", "Let people opt out of this occasion"),
        ),
        Template(
            "black_friday",
            SEASON,
            "Black Friday buyers",
            "They ordered from the last Black Friday to the Monday after it.",
            "orders_placed MATCHES (date BETWEEN {black_friday} AND {cyber_monday})",
            ("Early access to the next", "Watch whether they buy at full price too"),
        ),
        Template(
            "christmas",
            SEASON,
            "Christmas buyers",
            "They ordered in the four weeks before the last Christmas.",
            "orders_placed MATCHES (date BETWEEN {advent} AND {christmas})",
            ("Gift guide", "Last day for posting", "Reorder what they gave"),
        ),
    )
}

# What a shop begins with: five is what a team can work with, and they need nothing but orders and consent.
PROPOSED = ("first_time", "regulars", "vip", "at_risk", "cart_abandoners")
