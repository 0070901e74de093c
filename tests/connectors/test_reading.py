"""How platforms' amounts, moments, texts and groups are read: the same for every connector."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import money, times
from connectors.batches import cut
from connectors.text import clean, presentable


class TestMoney:
    @pytest.mark.parametrize(
        ("amount", "currency", "minor"),
        [
            ("10.50", "GBP", 1050),
            ("10.5", "GBP", 1050),
            ("10", "GBP", 1000),
            ("-10.50", "GBP", -1050),
            ("0", "GBP", 0),
            ("1200", "JPY", 1200),
            ("1200.00", "JPY", 1200),
            ("1.234", "BHD", 1234),
            ("1.2345", "UYW", 12345),
            ("1.23", "XXX", 123),
            (7, "EUR", 700),
            (Decimal("89.99"), "USD", 8999),
            (Decimal("1E+2"), "USD", 10_000),
            ("0.29", "USD", 29),
            ("1.005", "USD", 100),
            ("1.015", "USD", 102),
            ("0.125", "GBP", 12),
        ],
    )
    def test_amounts_are_exact_in_their_currencys_minor_units(self, amount, currency, minor):
        assert money.minor(amount, currency) == minor

    @pytest.mark.parametrize(
        "amount",
        [
            *(
                "",
                "NaN",
                "nan",
                "Infinity",
                "-inf",
                "1e3",
                "1,50",
                "1_000",
                " 1",
                "1 ",
                "1.",
                ".5",
                "+1",
                "--1",
                "0x1",
                "£1",
            ),
            *("１.00", "٣", "9" * 16, "9" * 5_000, "0." + "1" * 13),
            *(Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("1E+400"), Decimal("1E-400"), 10**15),
        ],
    )
    def test_what_is_no_amount_is_refused(self, amount):
        with pytest.raises(ValueError, match="not an amount"):
            money.minor(amount, "GBP")

    @pytest.mark.parametrize("currency", ["", "gbp", "GB", "GBPP", "£", "ＧＢＰ", "GBP\n"])
    def test_what_is_no_currency_is_refused(self, currency):
        with pytest.raises(ValueError, match="currency"):
            money.minor("1", currency)

    @given(st.integers(-(10**14), 10**14), st.sampled_from(["GBP", "JPY", "BHD", "CLF"]))
    def test_what_was_written_from_minor_units_is_read_back(self, minor, currency):
        written = f"{Decimal(minor).scaleb(-money.exponent(currency)):f}"
        assert money.minor(written, currency) == minor


class TestTimes:
    @pytest.mark.parametrize(
        ("text", "moment"),
        [
            ("2026-11-06T07:08:09Z", datetime(2026, 11, 6, 7, 8, 9, tzinfo=UTC)),
            ("2026-11-06T07:08:09-05:00", datetime(2026, 11, 6, 12, 8, 9, tzinfo=UTC)),
            ("2026-11-06T07:08:09.5Z", datetime(2026, 11, 6, 7, 8, 9, 500_000, tzinfo=UTC)),
            ("2026-11-06T07:08:09.123456789Z", datetime(2026, 11, 6, 7, 8, 9, 123_456, tzinfo=UTC)),
            ("2011-12-10 12:00:00 +0000", datetime(2011, 12, 10, 12, tzinfo=UTC)),
            ("2011-12-10 12:00:00 +0100", datetime(2011, 12, 10, 11, tzinfo=UTC)),
        ],
    )
    def test_moments_are_read_in_utc(self, text, moment):
        assert times.utc(text) == moment
        assert times.utc(text).tzinfo is UTC

    @pytest.mark.parametrize(
        "text",
        [
            *("", "yesterday", "2026-11-06", "2026-11-06T07:08:09", "2026-W45-5T07:08:09Z", "20261106T070809Z"),
            *("2026-13-06T07:08:09Z", "2026-02-30T07:08:09Z", "2026-11-06T25:08:09Z", "2026-11-06T07:08:09+25:00"),
            *(
                "0001-01-01T00:00:00+14:00",
                "9999-12-31T23:59:59-05:00",
                "２026-11-06T07:08:09Z",
                "2026-11-06T07:08:09Z\n",
            ),
        ],
    )
    def test_what_is_no_moment_is_refused(self, text):
        with pytest.raises(ValueError, match=r".+"):
            times.utc(text)

    @given(st.integers(-(10**15), 5 * 10**15), st.integers(-14 * 60, 14 * 60))
    def test_every_offset_leads_to_the_same_moment(self, microseconds, minutes):
        moment = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
        assert times.utc(moment.astimezone(timezone(timedelta(minutes=minutes))).isoformat()) == moment


class TestText:
    @given(st.text() | st.text(st.characters(categories=["Cs", "Cc", "Mn", "L"])))
    def test_what_is_clean_can_be_stored_and_stays_clean(self, text):
        cleaned = clean(text)
        cleaned.encode()
        assert "\x00" not in cleaned
        assert clean(cleaned) == cleaned

    def test_the_same_letters_are_the_same_text(self):
        assert clean("Cafe\u0301") == clean("Caf\u00e9") == "Café"

    @pytest.mark.parametrize(
        ("message", "shown"),
        [
            ("anna@example.com is taken", "… is taken"),
            ('<Anna "Örn" anna+x@example.co.uk>: no', '<Anna "Örn" …>: no'),
            ("call +44 113 496 0000 now", "call … now"),
            ("id 7064055069303700841 is gone", "id … is gone"),
            ("token shpat_0123456789abcdef refused", "token … refused"),
            ("limit of 250 tags, 255 characters each", "limit of 250 tags, 255 characters each"),
            ("webhookSubscriptionCreate failed", "webhookSubscriptionCreate failed"),
            ("x" * 500, "x" * 200),
        ],
    )
    def test_a_message_that_is_shown_names_no_person_and_no_key(self, message, shown):
        assert presentable(message) == shown


class TestGroups:
    @given(st.lists(st.integers(0, 12), max_size=30), st.integers(1, 5), st.integers(1, 20))
    def test_groups_keep_the_order_and_both_limits(self, items, count, size):
        groups = list(cut(items, count, size, lambda item: item))
        assert [item for group in groups for item in group] == items
        for group in groups:
            assert 0 < len(group) <= count
            assert sum(group) <= size or len(group) == 1

    def test_a_group_is_closed_only_when_the_next_does_not_fit(self):
        assert list(cut([5, 5, 5, 1], 3, 10, lambda item: item)) == [(5, 5), (5, 1)]
        assert list(cut("abcd", 3, 10, lambda _: 0)) == [("a", "b", "c"), ("d",)]
