"""The language: which texts make which trees, what is said about the others, and where."""

from datetime import date, datetime
from decimal import Decimal

import pytest

from plugin.segments.language import LONGEST, SegmentErrors, canonical, check, parse
from plugin.segments.language.errors import MOST_ERRORS, Code
from plugin.segments.language.fields import FIELDS, FUNCTIONS
from plugin.segments.language.tree import (
    AbsoluteDate,
    And,
    Between,
    Compare,
    Contains,
    In,
    Instant,
    IsNull,
    Matches,
    Not,
    Number,
    Or,
    RelativeDate,
    Span,
    StartsWith,
    Text,
)
from plugin.segments.language.vocabulary import Vocabulary

ORDERS, SPENT, LAST = FIELDS["number_of_orders"], FIELDS["amount_spent"], FIELDS["last_order_date"]
TAGS, DOMAIN, GROUP = FIELDS["customer_tags"], FIELDS["customer_email_domain"], FIELDS["rfm_group"]
BOUGHT, PLACED = FUNCTIONS["products_purchased"], FUNCTIONS["orders_placed"]


def orders(number):
    return Compare(ORDERS, "=", Number(number))


def marked(text):
    """The text without its «marks», and the places they stood at."""
    places, plain = [], ""
    for piece in text.split("«"):
        if "»" in piece:
            inside, _, rest = piece.partition("»")
            places.append((len(plain), len(plain) + len(inside)))
            plain += inside + rest
        else:
            plain += piece
    return plain, places


TREES = [
    ("number_of_orders >= 3", Compare(ORDERS, ">=", Number(3))),
    ("number_of_orders>=3", Compare(ORDERS, ">=", Number(3))),
    ("number_of_orders = -0", Compare(ORDERS, "=", Number(0))),
    ("number_of_orders = 9223372036854775807", Compare(ORDERS, "=", Number(2**63 - 1))),
    ("number_of_orders = -9223372036854775808", Compare(ORDERS, "=", Number(-(2**63)))),
    ("amount_spent BETWEEN 250 AND 500.50", Between(SPENT, Number(Decimal(250)), Number(Decimal("500.50")))),
    ("amount_spent != 0.005", Compare(SPENT, "!=", Number(Decimal("0.005")))),
    ("last_order_date < -90d", Compare(LAST, "<", RelativeDate(-90, "d", "-90d"))),
    ("last_order_date > +2W", Compare(LAST, ">", RelativeDate(2, "w", "+2w"))),
    ("last_order_date = Today", Compare(LAST, "=", RelativeDate(0, "d", "today"))),
    ("last_order_date = 12_months_ago", Compare(LAST, "=", RelativeDate(-12, "m", "12_months_ago"))),
    ("last_order_date = 2020-02-29", Compare(LAST, "=", AbsoluteDate(date(2020, 2, 29)))),
    (
        "last_order_date >= 2020-05-30T04:05:06",
        Compare(LAST, ">=", Instant(datetime.fromisoformat("2020-05-30T04:05:06"))),
    ),
    (
        "last_order_date BETWEEN 2020-05-30 AND -7d",
        Between(LAST, AbsoluteDate(date(2020, 5, 30)), RelativeDate(-7, "d", "-7d")),
    ),
    ("last_order_date IS NULL", IsNull(LAST)),
    ("last_order_date is not null", IsNull(LAST, negated=True)),
    ("customer_tags CONTAINS ' VIP '", Contains(TAGS, Text(" VIP "))),
    (r"customer_tags NOT CONTAINS 'it\'s a \\ and a \n'", Contains(TAGS, Text(r"it's a \ and a \n"), negated=True)),
    ("customer_tags CONTAINS 'Cafe\u0301'", Contains(TAGS, Text("Caf\u00e9"))),
    ("customer_tags CONTAINS 'AND -- (not a comment)'", Contains(TAGS, Text("AND -- (not a comment)"))),
    ("customer_email_domain IN ('a.de', 'b.de')", In(DOMAIN, (Text("a.de"), Text("b.de")))),
    ("customer_email_domain NOT STARTS WITH 'a'", StartsWith(DOMAIN, Text("a"), negated=True)),
    ("rfm_group NOT IN ('NEW')", In(GROUP, (Text("NEW"),), negated=True)),
    ("products_purchased MATCHES ()", Matches(BOUGHT, ())),
    ("products_purchased IS NULL", IsNull(BOUGHT)),
    (
        "products_purchased NOT_MATCHES (id NOT IN (7, 'x'), tag != 'sale', count BETWEEN 1 AND 2)",
        Matches(
            BOUGHT,
            (
                In(BOUGHT.parameters["id"], (Text("7"), Text("x")), negated=True),
                Compare(BOUGHT.parameters["tag"], "!=", Text("sale")),
                Between(BOUGHT.parameters["count"], Number(1), Number(2)),
            ),
            negated=True,
        ),
    ),
    (
        "orders_placed not matches (discount_code = 'X')",
        Matches(PLACED, (Compare(PLACED.parameters["discount_code"], "=", Text("X")),), negated=True),
    ),
    ("NOT number_of_orders = 1", Not(orders(1))),
    ("NOT (NOT number_of_orders = 1)", Not(Not(orders(1)))),
    (
        "number_of_orders = 1 OR number_of_orders = 2 AND number_of_orders = 3",
        Or((orders(1), And((orders(2), orders(3))))),
    ),
    (
        "(number_of_orders = 1 OR number_of_orders = 2) AND NOT number_of_orders = 3",
        And((Or((orders(1), orders(2))), Not(orders(3)))),
    ),
    (
        "number_of_orders = 1 AND (number_of_orders = 2 AND number_of_orders = 3)",
        And((orders(1), orders(2), orders(3))),
    ),
    ("((number_of_orders = 1))", orders(1)),
    ("-- who buys\nnumber_of_orders = 1 -- once\r\n AND number_of_orders = 2", And((orders(1), orders(2)))),
    ("\ufeffnumber_of_orders\u00a0=\t1\u200b", orders(1)),
]


@pytest.mark.parametrize(("text", "tree"), TREES)
def test_a_text_is_read_as_its_tree(text, tree):
    assert parse(text) == tree


@pytest.mark.parametrize("text", [text for text, _ in TREES])
def test_the_canonical_text_of_a_tree_is_read_as_the_same_tree(text):
    printed = canonical(parse(text))
    assert parse(printed) == parse(text)
    assert canonical(parse(printed)) == printed


PRINTED = [
    ("( number_of_orders>=3 )and last_order_date<-090D", "number_of_orders >= 3 AND last_order_date < -90d"),
    ("amount_spent between 250 and 500.50", "amount_spent BETWEEN 250 AND 500.50"),
    ("products_purchased not_matches(date>-3m)", "products_purchased NOT MATCHES (date > -3m)"),
    ("products_purchased MATCHES (id in('12',\"\" ))", None),
    ("products_purchased matches (id in('12','012','a'))", "products_purchased MATCHES (id IN (12, '012', 'a'))"),
    ("last_order_date = YESTERDAY", "last_order_date = yesterday"),
    ("last_order_date = 0001-01-01T00:00:00", "last_order_date = 0001-01-01T00:00:00"),
    ("not(number_of_orders is null)", "NOT number_of_orders IS NULL"),
    ("not(number_of_orders = 1 or number_of_orders = 2)", "NOT (number_of_orders = 1 OR number_of_orders = 2)"),
    ("amount_spent > -007.50 or amount_spent = -0.0", "amount_spent > -7.50 OR amount_spent = 0.0"),
]


@pytest.mark.parametrize(("text", "printed"), PRINTED)
def test_a_query_is_printed_in_one_way(text, printed):
    assert check(text).canonical == printed


# code, text with the place «marked», suggestion
WRONG = [
    # Syntax.
    ("SYNTAX_ERROR", "«»", None),
    ("SYNTAX_ERROR", "«»   -- nothing but a comment", None),
    ("SYNTAX_ERROR", "number_of_orders«»", None),
    ("SYNTAX_ERROR", "number_of_orders >=«»  ", None),
    ("SYNTAX_ERROR", "number_of_orders >= «AND» amount_spent > 3", None),
    ("SYNTAX_ERROR", "«>=» 3", None),
    ("SYNTAX_ERROR", "number_of_orders = 3 AND«»", None),
    ("SYNTAX_ERROR", "«OR» number_of_orders = 3", None),
    ("SYNTAX_ERROR", "(«)»", None),
    ("SYNTAX_ERROR", "(number_of_orders = 3«»", ")"),
    ("SYNTAX_ERROR", "((number_of_orders = 3«»", ")"),
    ("SYNTAX_ERROR", "number_of_orders = 3«)»", None),
    ("SYNTAX_ERROR", "NOT «NOT» NOT number_of_orders = 3", None),
    ("SYNTAX_ERROR", "number_of_orders = 3 «number_of_orders» = 4", None),
    ("SYNTAX_ERROR", "number_of_orders = 3 «please»", None),
    ("SYNTAX_ERROR", "number_of_orders = 3 «adn» number_of_orders = 4", "AND"),
    ("SYNTAX_ERROR", "number_of_orders = 3 «||» number_of_orders = 4", "OR"),
    ("SYNTAX_ERROR", "number_of_orders = 3«,» number_of_orders = 4", "AND"),
    ("SYNTAX_ERROR", "number_of_orders «==» 3", "="),
    ("SYNTAX_ERROR", "number_of_orders «≥» 3", ">="),
    ("SYNTAX_ERROR", "number_of_orders «betwen» 3 AND 4", "BETWEEN"),
    ("SYNTAX_ERROR", "number_of_orders BETWEEN 3 «OR» 4", "AND"),
    ("SYNTAX_ERROR", "number_of_orders BETWEEN 3 «to» 4", "AND"),
    ("SYNTAX_ERROR", "number_of_orders BETWEEN 3 «OR» customer_tags CONTAINS 'x'", None),
    ("SYNTAX_ERROR", "number_of_orders NOT «BETWEEN» 3 AND 4", None),
    ("SYNTAX_ERROR", "number_of_orders NOT «>=» 3", None),
    ("SYNTAX_ERROR", "customer_email_domain «startswith» 'a'", "STARTS WITH"),
    ("SYNTAX_ERROR", "customer_tags NOT «contain» 'a'", "CONTAINS"),
    ("SYNTAX_ERROR", "last_order_date IS NOT «NUL»", "NULL"),
    ("SYNTAX_ERROR", "last_order_date IS «3»", None),
    ("SYNTAX_ERROR", "last_order_date = «NULL»", None),
    ("SYNTAX_ERROR", "customer_tags CONTAINS «big spender» AND number_of_orders = 1", "'big spender'"),
    ("SYNTAX_ERROR", 'customer_tags CONTAINS «"it\'s"» AND number_of_orders = 1', r"'it\'s'"),
    ("SYNTAX_ERROR", "customer_tags CONTAINS «‘vip’»", "'vip'"),
    ("SYNTAX_ERROR", "(customer_tags CONTAINS «'vip) AND number_of_orders = 1»", None),
    ("SYNTAX_ERROR", "amount_spent > «$»5 AND number_of_orders = 1", None),
    ("SYNTAX_ERROR", "amount_spent > «1_000»", "1000"),
    ("SYNTAX_ERROR", "amount_spent > «+5»", "5"),
    ("SYNTAX_ERROR", "amount_spent > «.5»", "0.5"),
    ("SYNTAX_ERROR", "amount_spent > «(»5)", None),
    ("SYNTAX_ERROR", "amount_spent > «5--note»", None),
    ("SYNTAX_ERROR", "customer_email_domain IN «'a'»", "('a')"),
    ("SYNTAX_ERROR", "customer_email_domain IN («)»", None),
    ("SYNTAX_ERROR", "customer_email_domain IN ('a', «)»", None),
    ("SYNTAX_ERROR", "customer_email_domain IN ('a' «'b'»)", None),
    ("SYNTAX_ERROR", "customer_email_domain IN ('a'«»", ")"),
    ("SYNTAX_ERROR", "products_purchased «match» (count > 1)", "MATCHES"),
    ("SYNTAX_ERROR", "products_purchased «(»count > 1)", "MATCHES ("),
    ("SYNTAX_ERROR", "products_purchased MATCHES «date» > -3d", None),
    ("SYNTAX_ERROR", "products_purchased MATCHES (date > -3d «AND» count > 1)", ","),
    ("SYNTAX_ERROR", "products_purchased MATCHES (date > -3d «OR» count > 1)", None),
    ("SYNTAX_ERROR", "products_purchased MATCHES (date > -3d, «=» 1)", None),
    ("SYNTAX_ERROR", "products_purchased MATCHES (sku«:» '1')", "="),
    ("SYNTAX_ERROR", "«number_of_orders (3)»", None),
    ("SYNTAX_ERROR", "number_of_orders = 3 AND IN «'VIP'»", None),
    ("SYNTAX_ERROR", "IN SEGMENT «VIP»", None),
    ("SYNTAX_ERROR", "customer_tags CONTAINS 'a«\x00\x00»b'", None),
    ("SYNTAX_ERROR", "customer_tags CONTAINS 'a«\ud800»b'", None),
    # Names.
    ("UNKNOWN_NAME", "«number_of_ordres» >= 3", "number_of_orders"),
    ("UNKNOWN_NAME", "«Number_Of_Orders» >= 3", "number_of_orders"),
    ("UNKNOWN_NAME", "«product_purchased» MATCHES (count > 1)", "products_purchased"),
    ("UNKNOWN_NAME", "«xyz» >= 3", None),
    ("UNKNOWN_NAME", "«größe» >= 3", None),
    ("UNKNOWN_NAME", "«customer.x» >= 3", None),
    ("UNKNOWN_NAME", "«xyz»(id: 3) = true", None),
    # Operators.
    ("OPERATOR_NOT_SUPPORTED", "customer_tags «=» 'vip'", "CONTAINS"),
    ("OPERATOR_NOT_SUPPORTED", "customer_tags «!=» 'vip'", "NOT CONTAINS"),
    ("OPERATOR_NOT_SUPPORTED", "customer_tags «NOT IN» ('vip')", None),
    ("OPERATOR_NOT_SUPPORTED", "customer_email_domain «NOT CONTAINS» 'gmail'", None),
    ("OPERATOR_NOT_SUPPORTED", "customer_email_domain «BETWEEN» 'a' AND 'b'", None),
    ("OPERATOR_NOT_SUPPORTED", "number_of_orders «IN» (1, 2)", None),
    ("OPERATOR_NOT_SUPPORTED", "rfm_group «>» 'NEW'", None),
    ("OPERATOR_NOT_SUPPORTED", "rfm_group «STARTS WITH» 'NEW'", None),
    ("OPERATOR_NOT_SUPPORTED", "number_of_orders «MATCHES» (count > 1)", None),
    ("OPERATOR_NOT_SUPPORTED", "orders_placed «>=» 1", None),
    ("OPERATOR_NOT_SUPPORTED", "orders_placed MATCHES (date «IS NOT NULL»)", None),
    ("OPERATOR_NOT_SUPPORTED", "orders_placed MATCHES (discount_code «STARTS WITH» 'X')", None),
    ("OPERATOR_NOT_SUPPORTED", "orders_placed MATCHES (count «NOT MATCHES» (count > 1))", None),
    ("OPERATOR_NOT_SUPPORTED", "products_purchased MATCHES (tag «CONTAINS» 'x')", "="),
    ("OPERATOR_NOT_SUPPORTED", "products_purchased MATCHES (id «>» 3)", None),
    # Types and values.
    ("WRONG_TYPE", "number_of_orders = «'3'»", "3"),
    ("WRONG_TYPE", "number_of_orders = «'three'»", None),
    ("WRONG_TYPE", "number_of_orders = «3.0»", "3"),
    ("WRONG_TYPE", "number_of_orders = «3.5»", None),
    ("WRONG_TYPE", "number_of_orders = «today»", None),
    ("WRONG_TYPE", "number_of_orders = «true»", None),
    ("WRONG_TYPE", "number_of_orders = «(45.5, -73.6)»", None),
    ("WRONG_TYPE", "amount_spent > «-7d»", None),
    ("WRONG_TYPE", "amount_spent > «'7.50'»", "7.50"),
    ("WRONG_TYPE", "last_order_date > «20200530»", None),
    ("WRONG_TYPE", "last_order_date > «'2020-05-30'»", "2020-05-30"),
    ("WRONG_TYPE", "last_order_date > «'-7d'»", "-7d"),
    ("WRONG_TYPE", "last_order_date > «'2020-02-30'»", None),
    ("WRONG_TYPE", "customer_tags CONTAINS «3»", "'3'"),
    ("WRONG_TYPE", "rfm_group = «true»", "'true'"),
    ("WRONG_TYPE", "products_purchased MATCHES (id = «3.5»)", None),
    ("WRONG_TYPE", "products_purchased MATCHES (id IN (1, «-2»))", None),
    ("WRONG_TYPE", "products_purchased MATCHES (sku = «85123»)", "'85123'"),
    ("WRONG_TYPE", "products_purchased MATCHES (quantity > «1.5»)", None),
    ("INVALID_VALUE", "number_of_orders = «9223372036854775808»", None),
    ("INVALID_VALUE", "number_of_orders = «-9223372036854775809»", None),
    ("INVALID_VALUE", f"number_of_orders = «{'9' * 5000}»", None),
    ("INVALID_VALUE", f"amount_spent = «{'9' * 5000}»", None),
    ("INVALID_VALUE", "amount_spent = «-922337203685477.58»", None),
    ("INVALID_VALUE", "amount_spent = «0.1234567891»", None),
    ("INVALID_VALUE", "rfm_group = «'champions'»", "'CHAMPIONS'"),
    ("INVALID_VALUE", "rfm_group IN ('NEW', «'AT RISK'»)", "'AT_RISK'"),
    ("INVALID_VALUE", "sms_subscription_status = «'INVALID'»", None),
    ("INVALID_VALUE", "email_subscription_status = «'yes'»", None),
    # Dates and ranges.
    ("INVALID_DATE", "last_order_date > «2020-02-30»", "2020-02-29"),
    ("INVALID_DATE", "last_order_date > «2020-13-01»", None),
    ("INVALID_DATE", "last_order_date > «0000-01-01»", None),
    ("INVALID_DATE", "last_order_date > «2020-5-3»", "2020-05-03"),
    ("INVALID_DATE", "last_order_date > «30/05/2020»", None),
    ("INVALID_DATE", "last_order_date > «2020-05»", None),
    ("INVALID_DATE", "last_order_date > «2020-05-30T24:00:00»", None),
    ("INVALID_DATE", "last_order_date > «2020-05-30T23:00»", "2020-05-30T23:00:00"),
    ("INVALID_DATE", "last_order_date > «2020-05-30T23:00:00Z»", "2020-05-30T23:00:00"),
    ("INVALID_DATE", "last_order_date > «2020-5-300T04:00:00»", None),
    ("INVALID_DATE", "last_order_date > «7d»", "-7d"),
    ("INVALID_DATE", "last_order_date > «14_days_ago»", "-14d"),
    ("INVALID_DATE", "last_order_date > «-3months»", "-3m"),
    ("INVALID_DATE", "last_order_date > «-999999999y»", None),
    ("INVALID_DATE", "last_order_date > «-1001y»", None),
    ("INVALID_DATE", f"last_order_date > «+{'9' * 5000}d»", None),
    ("INVALID_DATE", "products_purchased MATCHES (date > «2021-02-29»)", "2021-02-28"),
    ("INVALID_RANGE", "number_of_orders BETWEEN «3 AND 2»", "2 AND 3"),
    ("INVALID_RANGE", "amount_spent BETWEEN «3 AND 2.99»", "2.99 AND 3"),
    ("INVALID_RANGE", "last_order_date BETWEEN «2020-05-02 AND 2020-05-01»", "2020-05-01 AND 2020-05-02"),
    (
        "INVALID_RANGE",
        "last_order_date BETWEEN «2020-05-02T00:00:01 AND 2020-05-02T00:00:00»",
        "2020-05-02T00:00:00 AND 2020-05-02T00:00:01",
    ),
    ("INVALID_RANGE", "last_order_date BETWEEN «today AND -1m»", "-1m AND today"),
    ("INVALID_RANGE", "last_order_date BETWEEN «-1w AND -8d»", "-8d AND -1w"),
    ("INVALID_RANGE", "last_order_date BETWEEN «-1y AND -13m»", "-13m AND -1y"),
    ("INVALID_RANGE", "orders_placed MATCHES (count BETWEEN «2 AND 1»)", "1 AND 2"),
    # Parameters.
    ("UNKNOWN_PARAMETER", "products_purchased MATCHES («skus» = '1')", "sku"),
    ("UNKNOWN_PARAMETER", "orders_placed MATCHES («xyz» = '1', count > 1)", None),
    ("UNKNOWN_PARAMETER", "site.searched MATCHES («anything» = 1)", None),
    ("UNKNOWN_PARAMETER", "orders_placed MATCHES («orders_placed» MATCHES (count > 1))", None),
    ("DUPLICATE_PARAMETER", "orders_placed MATCHES (date > -30d, count > 1, «date» < -3d)", None),
    # What is in the language and not supplied.
    ("NOT_AVAILABLE", "«created_by_app_id» IS NOT NULL", None),
    ("NOT_AVAILABLE", "«attributes.shoe_size» > 40", None),
    ("NOT_AVAILABLE", "«metafields.facts.birth_date» = 2001-01-01", None),
    ("NOT_AVAILABLE", "«customer.metafields.facts.likes» = 'tea'", None),
    ("NOT_AVAILABLE", "«attributes.shoe-size» BETWEEN 40 AND 42", None),
    ("SYNTAX_ERROR", "«customer_within_distance MATCHES (distance_mi < 6.2)»", None),
    ("SYNTAX_ERROR", "«customer_within_distance MATCHES (coordinates = (45.5, -73.6))»", None),
    ("NOT_AVAILABLE", "anniversary(«'metafields.facts.birth_date'») BETWEEN today AND +30d", None),
    ("NOT_AVAILABLE", "anniversary(date: «'metafields.facts.birth_date'») = today", None),
]


@pytest.mark.parametrize(("code", "text", "suggestion"), WRONG)
def test_a_fault_is_told_with_its_code_place_and_suggestion(code, text, suggestion):
    plain, [place] = marked(text)
    [error] = check(plain).errors
    assert (error.code, (error.start, error.end), error.suggestion) == (code, place, suggestion)
    assert error.message


def test_every_code_that_the_language_alone_can_find_is_tried():
    of_shops = {Code.UNKNOWN_SEGMENT, Code.CIRCULAR_SEGMENT, Code.FORGEABLE}
    of_sizes = {Code.TOO_COMPLEX, Code.TOO_MANY_VALUES}
    assert {code for code, _, _ in WRONG} == set(Code) - of_shops - of_sizes


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        (
            "«number_of_ordres» >= 3 AND amount_spent «==» «'x'» OR (customer_tags «=» 'vip' AND rfm_group = «NEW»)",
            ["UNKNOWN_NAME", "SYNTAX_ERROR", "WRONG_TYPE", "OPERATOR_NOT_SUPPORTED", "SYNTAX_ERROR"],
        ),
        (
            "last_order_date BETWEEN «2020-02-30» AND «3d» OR number_of_orders «AND» «xyz» = 1",
            ["INVALID_DATE", "INVALID_DATE", "SYNTAX_ERROR", "UNKNOWN_NAME"],
        ),
        (
            "orders_placed MATCHES (date > «yes», «cuont» = 1, amount «,» sum_amount > «'1'») AND «xyz» = 1",
            ["SYNTAX_ERROR", "UNKNOWN_PARAMETER", "SYNTAX_ERROR", "WRONG_TYPE", "UNKNOWN_NAME"],
        ),
        (
            "«created_by_app_id» «>» 3 AND csat_score = «'x'»",
            ["NOT_AVAILABLE", "OPERATOR_NOT_SUPPORTED", "WRONG_TYPE"],
        ),
        (
            "products_purchased MATCHES (title = «1», id «>» 2)",
            ["WRONG_TYPE", "OPERATOR_NOT_SUPPORTED"],
        ),
        (
            "number_of_orders = 1«)» AND («)» OR «xyz» = 1",
            ["SYNTAX_ERROR", "SYNTAX_ERROR", "UNKNOWN_NAME"],
        ),
        (
            "customer_email_domain IN («1», 'a', «b») AND rfm_group IN («'new'», «'old'»)",
            ["WRONG_TYPE", "SYNTAX_ERROR", "INVALID_VALUE", "INVALID_VALUE"],
        ),
        (
            "number_of_orders «wat» 3 AND «xyz» = 1",
            ["SYNTAX_ERROR", "UNKNOWN_NAME"],
        ),
    ],
)
def test_all_faults_of_a_query_are_told_in_the_order_of_the_text(text, codes):
    plain, places = marked(text)
    found = [(error.code, (error.start, error.end)) for error in check(plain).errors]
    assert found == list(zip(codes, places, strict=True))


def test_places_count_code_points():
    plain, places = marked(
        "customer_tags CONTAINS '😀é😀' AND «xyz» = 1 AND customer_tags CONTAINS '👩‍👩‍👧' OR «zyx» = 1"
    )
    assert [(error.start, error.end) for error in check(plain).errors] == places


def test_texts_that_change_in_nfc_move_no_place():
    plain, places = marked("customer_tags CONTAINS 'e\u0301e\u0301e\u0301' AND «xyz» = 1")
    assert [(error.start, error.end) for error in check(plain).errors] == places


def test_the_values_of_an_enum_are_listed():
    [error] = check("rfm_group = 'X'").errors
    assert all(value in error.message for value in GROUP.values)


@pytest.mark.parametrize(
    "ends",
    [
        "+1m AND +29d",
        "-30d AND -1m",
        "-365d AND -1y",
        "today AND 0001-01-01",
        "2020-05-02 AND 2020-05-01T00:00:00",
        "-7d AND -1w",
        "today AND today",
    ],
)
def test_ends_that_may_enclose_something_are_no_error(ends):
    assert check(f"last_order_date BETWEEN {ends}").ok


def test_a_name_that_is_not_available_is_told_with_what_would_supply_it():
    [error] = check("companies IS NOT NULL", Vocabulary(supplied=frozenset())).errors
    assert "a Shopify store" in error.message


def test_a_clause_knows_its_place():
    node = parse("number_of_orders = 1 AND NOT products_purchased MATCHES ( sku = 'a' )")
    assert isinstance(node, And)
    first, second = node.operands
    assert first.span == Span(0, 20)
    assert second.span == Span(25, 28)
    assert second.operand.span == Span(29, 69)
    assert second.operand.conditions[0].span == Span(58, 67)


def test_parse_raises_what_check_reports():
    with pytest.raises(SegmentErrors) as raised:
        parse("xyz = 1")
    assert raised.value.errors == check("xyz = 1").errors


def test_a_list_holds_500_values_and_no_more():
    def listed(number):
        return "products_purchased MATCHES (id IN (" + ",".join(str(one) for one in range(number)) + "))"

    assert check(listed(500)).ok
    text = listed(502)
    [error] = check(text).errors
    assert (error.code, text[error.start : error.end]) == ("TOO_MANY_VALUES", "500,501")


def test_a_query_holds_100_conditions_and_no_more():
    clause = "number_of_orders = 1"
    assert check(" OR ".join([clause] * 100)).ok
    text = " OR ".join(["xyz = 1", *[clause] * 101])
    unknown, error = check(text).errors
    assert unknown.code == "UNKNOWN_NAME"
    assert (error.code, text[error.start : error.end]) == ("TOO_COMPLEX", f"{clause} OR {clause}")


def test_parentheses_go_20_deep_and_no_deeper():
    assert check("(" * 20 + "number_of_orders = 1" + ")" * 20).ok
    assert check(" AND ".join(["(number_of_orders = 1)"] * 30)).ok
    [error] = check("(" * 21 + "number_of_orders = 1" + ")" * 21).errors
    assert (error.code, error.start, error.end) == ("TOO_COMPLEX", 20, 21)


def test_a_query_has_10_000_characters_and_no_more():
    clause = "number_of_orders = 1"
    assert check(clause.ljust(LONGEST)).ok
    [error] = check(clause.ljust(LONGEST + 5)).errors
    assert (error.code, error.start, error.end) == ("TOO_COMPLEX", LONGEST, LONGEST + 5)


def test_a_query_that_would_be_printed_longer_than_it_may_be_is_refused():
    text = "customer_email_domain IN(" + ",".join(["'" + "x" * 17 + "'"] * 498) + ")"
    assert len(text) < LONGEST < len(text) + 497
    [error] = check(text).errors
    assert (error.code, error.start, error.end) == ("TOO_COMPLEX", 0, len(text))


HOSTILE = [  # a beginning, and what is repeated up to the longest text
    ("", "("),
    ("", ")"),
    ("", "()"),
    ("", "NOT "),
    ("", "NOT("),
    ("", "a AND "),
    ("", "orders_placed MATCHES ("),
    ("", "orders_placed("),
    ("orders_placed MATCHES (", "count MATCHES("),
    ("customer_tags CONTAINS ", "("),
    ("rfm_group IN (", "'x',"),
    ("orders_placed MATCHES (", "x=1,"),
    ("orders_placed MATCHES (", "x "),
    ("", "'"),
    ("", "„"),
    ("", '"'),
    ("", "\\"),
    ("", "-"),
    ("", "1"),
    ("", "a."),
    ("", "a"),
    ("", "="),
    ("", "=a"),
    ("", "😀 "),
    ("", "\x00x"),
    ("", "\ud800x"),
    ("number_of_orders = ", "9"),
    ("last_order_date = +", "9"),
    ("customer_tags CONTAINS ", "a "),
]


@pytest.mark.parametrize(("start", "piece"), HOSTILE)
@pytest.mark.parametrize("length", [LONGEST, 10 * LONGEST])
def test_hostile_texts_are_refused_with_errors_of_bounded_number_and_length(start, piece, length):
    text = (start + piece * length)[:length]
    errors = check(text).errors
    assert 0 < len(errors) <= MOST_ERRORS
    assert all(0 <= error.start <= error.end <= len(text) and len(error.message) < 1_000 for error in errors)
