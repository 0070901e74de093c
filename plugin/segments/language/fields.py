"""The one table of the language: every name with its type, column and sentence (segment-language §5, §9).

A row without a column is a name of the language that nothing supplies yet: it is answered with NOT_AVAILABLE and what
would supply it. Giving it a column makes it available to parser, compiler and editor alike.
"""

from collections.abc import Mapping

from .schema import Field, Function, Parameter, Type

DATE, INTEGER, DECIMAL, MONEY = Type.DATE, Type.INTEGER, Type.DECIMAL, Type.MONEY
ID, STRING, ENUM, LIST, MEMBER, BOOLEAN = Type.ID, Type.STRING, Type.ENUM, Type.LIST, Type.MEMBER, Type.BOOLEAN

CONSENT = ("SUBSCRIBED", "NOT_SUBSCRIBED", "PENDING", "INVALID", "UNSUBSCRIBED", "REDACTED")
GROUPS = (
    "PROSPECTS",
    "NEW",
    "PROMISING",
    "ACTIVE",
    "NEEDS_ATTENTION",
    "LOYAL",
    "CHAMPIONS",
    "ALMOST_LOST",
    "AT_RISK",
    "PREVIOUSLY_LOYAL",
    "DORMANT",
)

TIERS = ("HIGH", "MEDIUM", "LOW")
DEVICES = ("mobile", "tablet", "desktop")
CARTS = ("open", "abandoned", "ordered")
ACCOUNT_STATES = ("DECLINED", "DISABLED", "ENABLED", "INVITED")

SHOPIFY = "a Shopify store that reports it"
ASKED = "a Shopify store that lets the app see it, once it was read at night"
SURVEY = "survey answers"
SENT = "as a metafield, from a survey, a CSV file or the API"
ENGAGEMENT = "a connection to an e-mail platform that reports opens and clicks"
SITE = "the snippet on the shop's own pages, or events sent with a key"
EVENTS = "events that another system sends with a key"
VIEWS = "the pixel of a Shopify store, the snippet on the shop's own pages, or events sent with a key"
# Of a customer Shopify's API (2026-10) tells no app; its own segments alone can ask for one.
TELLING_OF_APPS = "a platform that tells by which app customers were added, and Shopify tells that to no app"
TAGGED = "views that are sent with the tags of collections"


def _later(
    name: str, kind: Type, sentence: str, supplied_by: str, values: tuple[str, ...] = (), *, shopify: bool = False
) -> Field:
    return Field(name, kind, None, sentence, values=values, supplied_by=supplied_by, shopify=shopify)


def _kept(name: str, kind: Type, kept: str, sentence: str, called: str = "") -> Field:
    column, supplier = f"attribute:{kept}:{name}", f"the attribute {name}, {SENT}"
    return Field(name, kind, column, sentence, supplied_by=supplier, needs=name, called=called)


_LAST_ORDER = Field(
    "last_order_date", DATE, "last_order_at", "Day of the latest order that counts", shopify=True, past=True
)

_AVAILABLE = (
    Field(
        "number_of_orders",
        INTEGER,
        "orders",
        "Number of orders that count, ever",
        whole=True,
        shopify=True,
        everybody=True,
        least=0,
    ),
    Field(
        "amount_spent",
        MONEY,
        "spent_minor",
        "Amount spent on orders that count, less refunds",
        whole=True,
        shopify=True,
        everybody=True,
    ),
    Field(
        "first_order_date",
        DATE,
        "first_order_at",
        "Day of the first order that counts",
        whole=True,
        shopify=True,
        past=True,
    ),
    _LAST_ORDER,
    Field(
        "customer_added_date",
        DATE,
        "added_at",
        "Day the customer was added to the store",
        shopify=True,
        past=True,
        everybody=True,
        called="Customer since",
    ),
    Field(
        "customer_tags",
        LIST,
        "tags",
        "Tags on the customer in the store, other than ours",
        examples=("'vip'",),
        shopify=True,
        called="Tags in the store",
    ),
    Field(
        "customer_countries",
        LIST,
        "countries",
        "Country of any address",
        examples=("'US'", "'GB'", "'DE'"),
        shopify=True,
        undated=True,
        codes="country",
        called="Country",
    ),
    Field(
        "customer_regions",
        LIST,
        "regions",
        "Region of any address",
        examples=("'US-NY'", "'CA-ON'"),
        shopify=True,
        undated=True,
        codes="region",
        called="Region",
    ),
    Field(
        "customer_cities",
        LIST,
        "cities",
        "City of any address",
        examples=("'US-CA-LosAngeles'",),
        shopify=True,
        undated=True,
        called="City",
    ),
    Field(
        "companies",
        Type.ID_LIST,
        "companies",
        "B2B companies that the customer buys for",
        supplied_by=ASKED,
        needs="companies",
        shopify=True,
        called="B2B company",
    ),
    Field(
        "product_subscription_status",
        ENUM,
        "subscription",
        "State of the subscription to products",
        values=("SUBSCRIBED", "CANCELED", "EXPIRED", "FAILED", "NEVER_SUBSCRIBED", "PAUSED"),
        supplied_by=ASKED,
        needs="subscriptions",
        shopify=True,
        called="Subscription to products",
    ),
    Field(
        "customer_postal_codes",
        LIST,
        "postal_codes",
        "Postal code of any address",
        examples=("'10001'",),
        undated=True,
        called="Postal code",
    ),
    Field("time_zone", STRING, "time_zone", "Time zone where they live", examples=("'Europe/Berlin'",), undated=True),
    Field(
        "customer_email_domain",
        STRING,
        "email_domain",
        "What follows the @",
        examples=("'gmail.com'",),
        shopify=True,
        undated=True,
        called="E-mail domain",
    ),
    Field(
        "customer_language",
        STRING,
        "language",
        "Language of the customer",
        examples=("'en'", "'en-US'"),
        shopify=True,
        undated=True,
        called="Language",
    ),
    Field(
        "email_subscription_status",
        ENUM,
        "email_consent",
        "May we write by e-mail",
        values=CONSENT,
        shopify=True,
        called="E-mail consent",
    ),
    Field(
        "sms_subscription_status",
        ENUM,
        "sms_consent",
        "May we write by SMS",
        values=tuple(status for status in CONSENT if status != "INVALID"),
        shopify=True,
        called="SMS consent",
    ),
    Field(
        "abandoned_checkout_date",
        DATE,
        "abandoned_at",
        "Day of the latest abandoned checkout or cart",
        shopify=True,
        past=True,
    ),
    Field(
        "rfm_group",
        ENUM,
        "rfm_group",
        "Group by recency, frequency and amount of orders",
        values=GROUPS,
        whole=True,
        shopify=True,
    ),
    Field(
        "shopify_rfm_group",
        ENUM,
        "platform_rfm_group",
        "Shopify's own group, by limits that it does not tell",
        values=GROUPS,
        supplied_by=SHOPIFY,
        needs="ratings",
        undated=True,
        called="Shopify’s RFM group",
    ),
    Field(
        "predicted_spend_tier",
        ENUM,
        "spend_tier",
        "What Shopify thinks they may spend",
        values=TIERS,
        supplied_by=SHOPIFY,
        needs="ratings",
        undated=True,
        shopify=True,
    ),
    Field(
        "customer_account_status",
        ENUM,
        "account_status",
        "State of the customer's account",
        values=ACCOUNT_STATES,
        shopify=True,
        undated=True,
        called="Customer account",
    ),
    Field(
        "nps_score",
        INTEGER,
        "nps_score",
        "Would they recommend the shop: 0 to 10, the latest answer to the survey nps",
        supplied_by=EVENTS,
        needs="events",
        least=0,
        most=10,
    ),
    Field(
        "nps_group",
        ENUM,
        "nps_group",
        "Group by that score, from 9, 7 and 0 on",
        values=("PROMOTER", "PASSIVE", "DETRACTOR"),
        supplied_by=EVENTS,
        needs="events",
    ),
    Field(
        "csat_score",
        INTEGER,
        "csat_score",
        "How content they are: 1 to 5, the latest answer to the survey csat",
        supplied_by=EVENTS,
        needs="events",
        least=1,
        most=5,
    ),
    Field(
        "rfm_recency", INTEGER, "rfm_recency", "Score of how lately they ordered: 1 to 5", whole=True, least=1, most=5
    ),
    Field(
        "rfm_frequency",
        INTEGER,
        "rfm_frequency",
        "Score of how often they ordered: 1 to 5",
        whole=True,
        least=1,
        most=5,
    ),
    Field("rfm_monetary", INTEGER, "rfm_monetary", "Score of how much they spent: 1 to 5", whole=True, least=1, most=5),
    Field(
        "spend_percentile",
        INTEGER,
        "spend_percentile",
        "Rank among buyers by amount spent: 0 to 100",
        whole=True,
        least=0,
        most=100,
    ),
    Field("historic_value", MONEY, "spent_minor", "Value up to now: amount spent, less refunds", whole=True),
    Field("predicted_value", MONEY, "predicted_minor", "Value expected in the next 365 days", whole=True),
    Field("lifetime_value", MONEY, "lifetime_minor", "Value up to now and in the next 365 days", whole=True),
    Field("predicted_orders", DECIMAL, "predicted_orders", "Orders expected in the next 365 days", whole=True),
    Field(
        "churn_risk",
        DECIMAL,
        "churn_risk",
        "Probability of no order in the next 90 days: 0 to 1",
        whole=True,
        least=0,
        most=1,
    ),
    Field("expected_next_order_date", DATE, "next_order_at", "Day the next order is expected", whole=True),
    Field(
        "average_order_value",
        MONEY,
        "average_order_minor",
        "Amount of the average order, without fractions of a cent",
        whole=True,
    ),
    Field("largest_order", MONEY, "largest_order_minor", "Amount of the largest order", whole=True),
    Field(
        "days_between_orders",
        DECIMAL,
        "days_between_orders",
        "Average days from one order to the next",
        whole=True,
        least=0,
        called="Days between orders",
    ),
    Field(
        "days_since_last_order",
        INTEGER,
        "last_order_at",
        "Days since the latest order: another way of writing last_order_date",
        days_since=_LAST_ORDER,
    ),
    Field("favourite_category", STRING, "favourite_category", "Category of which most was bought", whole=True),
    Field("favourite_vendor", STRING, "favourite_vendor", "Vendor of whom most was bought", whole=True),
    Field(
        "discount_share",
        DECIMAL,
        "discount_share",
        "Share of their orders that had a discount, drawn toward the shop's own share: 0 to 1",
        whole=True,
        least=0,
        most=1,
    ),
    Field(
        "discount_habit",
        ENUM,
        "discount_habit",
        "Whether all orders, some or none had a discount; from two orders on",
        values=("FULL_PRICE", "MIXED", "DISCOUNT_ONLY"),
        whole=True,
    ),
    Field(
        "first_source",
        STRING,
        "first_source",
        "Where the first order came from: utm_source, site, direct or channel",
        examples=("'direct'", "'newsletter'"),
        whole=True,
        called="Source of the first order",
    ),
    Field(
        "last_source",
        STRING,
        "last_source",
        "Where the latest order came from",
        examples=("'direct'", "'newsletter'"),
        called="Source of the latest order",
    ),
    Field(
        "devices",
        LIST,
        "devices",
        "Devices ordered or browsed with",
        examples=tuple(f"'{device}'" for device in DEVICES),
        whole=True,
        forgeable=True,
    ),
    Field(
        "browsers",
        LIST,
        "browsers",
        "Browsers ordered or browsed with",
        examples=("'Safari'", "'Chrome'"),
        whole=True,
        forgeable=True,
    ),
    Field(
        "operating_systems",
        LIST,
        "operating_systems",
        "Operating systems ordered or browsed with",
        examples=("'iOS'", "'Android'", "'Windows'"),
        whole=True,
        forgeable=True,
    ),
    Field(
        "sales_channels", LIST, "sales_channels", "Channels ordered through", examples=("'web'", "'pos'"), whole=True
    ),
)

# What a merchant keeps of customers under these names.
_KEPT = (
    _kept("birth_date", DATE, "date", "Date of birth", "Date of birth"),
    Field(
        "age",
        INTEGER,
        "attribute:age:birth_date",
        "Age in years",
        examples=("18", "30", "65"),
        supplied_by=f"the attribute birth_date, {SENT}",
        needs="birth_date",
        called="Age in years",
    ),
    _kept("gender", STRING, "text", "Gender as told by the customer"),
    _kept("marital_status", STRING, "text", "Marital status as told by the customer"),
    _kept("income_band", STRING, "text", "Income band as told by the customer"),
    _kept("education", STRING, "text", "Education as told by the customer"),
    _kept("occupation", STRING, "text", "Occupation as told by the customer"),
    _kept("interests", LIST, "texts", "Interests of the customer"),
    _kept("values", LIST, "texts", "What is dear to the customer"),
    _kept("lifestyle", LIST, "texts", "How the customer lives"),
    _kept("personality", LIST, "texts", "What the customer is like"),
)

_LATER = (
    # Shopify has these.
    _later("created_by_app_id", ID, "App that added the customer", TELLING_OF_APPS, shopify=True),
)

FIELDS: Mapping[str, Field] = {row.name: row for row in (*_AVAILABLE, *_KEPT, *_LATER)}


def _parameters(*rows: Parameter) -> dict[str, Parameter]:
    return {row.name: row for row in rows}


def _unsupplied(supplied_by: str, **types: Type) -> dict[str, Parameter]:
    """Parameters known to the language and not supplied yet."""
    return {name: Parameter(name, kind, None, "", supplied_by=supplied_by) for name, kind in types.items()}


_PRODUCTS = _parameters(
    Parameter("id", ID, "product_id", "The product's id"),
    Parameter("sku", STRING, "sku", "The variant's SKU"),
    Parameter("tag", MEMBER, "product_tags", "A tag of the product"),
    Parameter("vendor", STRING, "vendor", "The product's vendor"),
    Parameter("type", STRING, "product_type", "The product's type"),
    Parameter("date", DATE, "placed_at", "Day of the order"),
    Parameter("quantity", INTEGER, "units", "Units of one line, less those refunded"),
    Parameter("count", INTEGER, "count", "Number of orders", kind="aggregate"),
    Parameter("sum_quantity", INTEGER, "sum_units", "Units in all", kind="aggregate"),
    Parameter("sum_amount", MONEY, "sum_amount_minor", "Amount in all", kind="aggregate"),
    Parameter("variant_id", ID, "variant_id", "The variant's id"),
    Parameter("category", ID, "product_categories", "The product's category: its id or its full name"),
    Parameter(
        "collection_id",
        ID,
        "product_collections",
        "A collection that the product is in",
        supplied_by="a store that tells the collections of products",
        needs="collections",
    ),
    Parameter("title", STRING, "title", "The title of the line"),
    Parameter("amount", MONEY, "line_minor", "Amount of one line, for the units that are left"),
)

_ORDERS = _parameters(
    Parameter("date", DATE, "placed_at", "Day of the order"),
    Parameter("amount", MONEY, "amount_minor", "Amount of one order, less refunds"),
    Parameter("discount_code", STRING, "discount_codes", "A discount code used"),
    Parameter("count", INTEGER, "count", "Number of orders", kind="aggregate"),
    Parameter("sum_amount", MONEY, "sum_amount_minor", "Amount in all", kind="aggregate"),
    Parameter("location_id", ID, "location_id", "Where it was placed over the counter"),
    Parameter("app_id", ID, "app_id", "App that it was placed with"),
    Parameter("channel", STRING, "source_name", "Sales channel", examples=("'web'", "'pos'")),
    Parameter("discounted", BOOLEAN, "discounted", "Whether anything was taken off"),
    Parameter(
        "financial_status",
        STRING,
        "financial_status",
        "State of its payment",
        examples=("'paid'", "'pending'", "'refunded'", "'partially_refunded'"),
    ),
    Parameter("device", ENUM, "device", "Kind of device", values=DEVICES),
    Parameter(
        "country", STRING, "country", "Country that it goes to", examples=("'US'", "'GB'", "'DE'"), codes="country"
    ),
)

_CARTS = _parameters(
    Parameter("status", ENUM, "status", "What became of it", values=CARTS),
    Parameter("date", DATE, "changed_at", "Day of its last change"),
    Parameter("amount", MONEY, "amount_minor", "Amount of one cart"),
    Parameter("product_id", ID, "product_ids", "The id of a product in it"),
    Parameter("count", INTEGER, "count", "Number of carts", kind="aggregate"),
)
_REFUNDS = _parameters(
    Parameter("date", DATE, "refunded_at", "Day of the refund"),
    Parameter("amount", MONEY, "amount_minor", "Amount of one refund"),
    Parameter("count", INTEGER, "count", "Number of refunds", kind="aggregate"),
    Parameter("sum_amount", MONEY, "sum_amount_minor", "Amount in all", kind="aggregate"),
)

_DISTANCE = _parameters(
    Parameter(
        "coordinates", Type.COORDINATES, "place", "The place: degrees north and east", examples=("(45.5, -73.6)",)
    ),
    Parameter("distance_km", DECIMAL, "distance", "Kilometres from there", examples=("10", "50")),
    Parameter("distance_mi", DECIMAL, "distance", "Miles from there", examples=("5", "25")),
)

_CREDIT = _parameters(
    Parameter("balance", MONEY, "balance_minor", "What an account holds"),
    Parameter("currency", STRING, "currency", "The account's currency", examples=("'USD'", "'EUR'")),
    Parameter("next_expiry_date", DATE, "next_expiry_at", "Day on which some of it expires next"),
    Parameter("last_credit_date", DATE, "last_credit_at", "Day on which credit was last granted"),
)


def _events(*rows: Parameter, day: str = "Day of the event", count: str = "Number of events") -> dict[str, Parameter]:
    """The parameters of events: their own, their day, and how many there are."""
    return _parameters(
        *rows, Parameter("date", DATE, "happened_at", day), Parameter("count", INTEGER, "count", count, "aggregate")
    )


def _views(subject: str, *, tags_needed: str) -> dict[str, Parameter]:
    return _events(
        Parameter("id", ID, "subject_id", f"The {subject}'s id"),
        Parameter("tag", MEMBER, "tags", f"A tag of the {subject} then", supplied_by=TAGGED, needs=tags_needed),
        day="Day of the view",
        count="Number of views",
    )


_EMAIL = _events(Parameter("activity_id", ID, "subject_id", "The id of the e-mail"), count="Number of times")
_VIEWS = {"product": _views("product", tags_needed=""), "collection": _views("collection", tags_needed="tagged views")}
_SURVEY = _events(
    Parameter("survey", STRING, "subject", "The survey"),
    Parameter("question", STRING, "question", "The question"),
    Parameter("answer", STRING, "answer", "What was answered, in words"),
    Parameter("score", DECIMAL, "score", "What was answered, as a number"),
    day="Day of the answer",
    count="Number of answers",
)
# What is seen on the shop's own pages, each with what it was about.
_ON_PAGES = {
    "page_viewed": ("Viewed a page", Parameter("url", STRING, "subject", "The page's address")),
    "searched": ("Searched", Parameter("query", STRING, "subject", "What was searched for")),
    "form_submitted": ("Sent a form", Parameter("form", STRING, "subject", "The form")),
    "link_clicked": ("Clicked a link", Parameter("link", STRING, "subject", "Where it leads, or its name")),
}
# The parameters that Shopify's own functions have.
_PRODUCTS_THERE = frozenset({"id", "tag", "category", "date", "count", "quantity", "sum_quantity"})
_ORDERS_THERE = frozenset({"date", "amount", "sum_amount", "count", "location_id", "app_id"})
_VIEWS_THERE = frozenset({"id", "date", "count", "tag"})
# What is worth knowing of an event of e-mails beside its name.
_MAILED = {
    "email.opened": "E-mail opened by somebody: what a mail program opens by itself is marked as such and not counted",
    "email.clicked": "Link of an e-mail clicked by somebody: what a program follows is marked as such and not counted",
    "email.unsubscribed": "Unsubscribed on the e-mail platform; consent in the store is email_subscription_status",
}
_EMAIL_EVENTS = ("bounced", "clicked", "delivered", "marked_as_spam", "opened", "unsubscribed")

FUNCTIONS: Mapping[str, Function] = {
    row.name: row
    for row in (
        Function("products_purchased", "lines", "Bought a product", _PRODUCTS, shopify=_PRODUCTS_THERE),
        Function("orders_placed", "orders", "Placed an order", _ORDERS, shopify=_ORDERS_THERE),
        *(
            Function(
                f"{family}.{event}",
                f"{family}.{event}",
                _MAILED.get(f"{family}.{event}", f"E-mail {event.replace('_', ' ')}"),
                _EMAIL,
                ENGAGEMENT,
                needs=f"{family}.{event}",
                shopify=there,
            )
            for family, there in (("shopify_email", frozenset(_EMAIL)), ("email", None))
            for event in _EMAIL_EVENTS
        ),
        *(
            Function(
                f"storefront.{subject}_viewed",
                f"{subject}_viewed",
                f"Viewed a {subject}",
                _VIEWS[subject],
                supplied_by=VIEWS,
                needs="views",
                forgeable=True,
                shopify=_VIEWS_THERE,
            )
            for subject in ("product", "collection")
        ),
        Function(
            "store_credit_accounts",
            "credit",
            "Has store credit",
            _CREDIT,
            ASKED,
            needs="store_credit",
            shopify=frozenset({"balance", "currency", "next_expiry_date", "last_credit_date"}),
        ),
        Function(
            "customer_within_distance",
            "homes",
            "Lives near a place",
            _DISTANCE,
            asks=(("coordinates",), ("distance_km", "distance_mi")),
            shopify=frozenset({"coordinates", "distance_km", "distance_mi"}),
        ),
        Function("survey_answered", "survey_answered", "Answered a survey", _SURVEY, EVENTS, needs="events"),
        Function("carts", "carts", "Had a cart", _CARTS, supplied_by="a store that tells of carts", needs="carts"),
        Function("refunds", "refunds", "Had a refund", _REFUNDS),
        *(
            Function(f"site.{kind}", kind, sentence, _events(about), SITE, needs="site", forgeable=True)
            for kind, (sentence, about) in _ON_PAGES.items()
        ),
        Function("call_received", "call_received", "Was called, or called", _events(), EVENTS, needs="events"),
        Function(
            "event",
            "event",
            "Did something else",
            _events(Parameter("name", STRING, "subject", "What it is called")),
            EVENTS,
            needs="events",
        ),
    )
}

# Two spellings of one name; printing uses the second.
ALIASES = {
    "storefront_event.product_viewed": "storefront.product_viewed",
    "storefront_event.collection_viewed": "storefront.collection_viewed",
}

__all__ = ["ALIASES", "FIELDS", "FUNCTIONS", "Field", "Function", "Parameter", "Type"]
