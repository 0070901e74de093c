"""A review comes due in its rhythm, is mailed once to whoever looks after the segment, and starts anew when done."""

from datetime import UTC, date, datetime, timedelta

import pytest

from connectors.errors import RetryableError
from plugin import clock, lanes, mail
from plugin.config import MissingSecretError, settings
from plugin.db import reading
from plugin.models.lanes import Lane
from plugin.segments.kept import keep, reminders, reviews
from plugin.segments.kept.definition import RefusedError
from tests.keeping.postbox import Postbox, certificate

DUE = datetime(2026, 12, 4, 8, tzinfo=UTC)  # two weeks after the clock's 20 November, eight in the morning


@pytest.fixture
def postbox(monkeypatch, kept):
    with Postbox() as box:
        for name, value in {
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(box.port),
            "SMTP_TLS": "none",
            "SMTP_SENDER": "Tagsmith <tagsmith@example.com>",
            "PUBLIC_URL": "https://tagsmith.example.com/",
        }.items():
            monkeypatch.setenv(name, value)
        settings.cache_clear()
        yield box
    settings.cache_clear()


def lane(kept):
    with reading(kept.engine) as session:
        return session.get(Lane, (kept.shop_id, reviews.LANE))


def due(kept):
    with reading(kept.engine) as session:
        found = reviews.due(session, kept.shop(), keep.all_of(session, kept.shop_id))
        return {one.due_on for one in found.values()}


def coming(kept):
    with reading(kept.engine) as session:
        return [one.due_on for one in reviews.next_ones(session, kept.shop_id).values()]


def test_a_review_that_is_due_is_mailed_once_on_the_shops_morning_and_begins_anew_when_done(kept, postbox):
    kept.buy(anna=3)
    segment = kept.add("Régulars", review="every 2 weeks", owner="Rosa", owner_email="rosa@example.com", say="Hi Anna")
    assert (lane(kept).due_at, due(kept)) == (DUE, set())
    kept.at = DUE - timedelta(seconds=1)
    assert kept.work("reviews") == 0
    kept.at = DUE
    assert due(kept) == {date(2026, 12, 4)}
    assert kept.work("reviews") == 1
    [told] = postbox.mails
    assert (told["To"], told["From"]) == ("rosa@example.com", "Tagsmith <tagsmith@example.com>")
    assert told["Subject"] == "To be reviewed: Régulars (Gifts)"
    text = told.get_content()
    assert f"https://tagsmith.example.com/segments/{segment.segment_id}" in text
    assert "4 Dec 2026" in text
    assert "every 2 weeks" in text
    assert "anna" not in str(told).lower()
    kept.at += timedelta(days=1)
    kept.edit(segment, owner_email="rita@example.com")  # whoever comes later is not told of the same review
    kept.work("reviews")
    assert len(postbox.mails) == 1
    kept.do(reviews.done, segment, by="account:1", note="  still right ")
    assert due(kept) == set()
    assert coming(kept) == [date(2026, 12, 19)]
    with reading(kept.engine) as session:
        [past] = reviews.past(session, kept.shop_id, segment.segment_id)
        assert (past.note, past.editor, past.done_at) == ("still right", "account:1", kept.at)
    kept.at = DUE + timedelta(days=15)
    kept.work("reviews")
    assert [one["To"] for one in postbox.mails] == ["rosa@example.com", "rita@example.com"]


def test_a_mail_that_a_kill_repeats_is_the_same_message(kept, postbox):
    kept.add(review="2w", owner_email="rosa@example.com")
    kept.at = DUE
    claim = lanes.claim(kept.engine, kept.shop_id, reviews.LANE)
    with reading(kept.engine) as session:
        [one] = reminders.reminders(session, kept.shop())
    mail.send(one.to, "To be reviewed", "…", reminders.message_name(kept.shop(), one))  # and killed before its note
    kept.at = claim.leased_until
    kept.work("reviews")
    kept.work("reviews")
    first, again = postbox.mails
    assert first["Message-ID"] == again["Message-ID"]
    assert str(first["Message-ID"]).endswith("@example.com>")


def test_a_server_that_cannot_take_it_now_is_asked_again_and_one_that_never_will_is_shown(kept, postbox):
    segment = kept.add(review="2w", owner_email="rosa@example.com")
    kept.add("Others", "number_of_orders = 0", review="2w", owner_email="rita@example.com")
    kept.at = DUE
    postbox.answers["RCPT"] = "451 later"
    kept.work("reviews")
    assert lane(kept).error == "SMTP: SMTPRecipientsRefused 451"
    assert lane(kept).due_at == DUE + timedelta(minutes=1)
    postbox.answers["RCPT"] = "550 nobody of that name"
    kept.at = lane(kept).due_at
    kept.work("reviews")
    assert (lane(kept).error, postbox.mails) == (None, [])
    with reading(kept.engine) as session:
        told = {one.error for one in reviews.next_ones(session, kept.shop_id).values()}
    assert told == {"SMTP: SMTPRecipientsRefused 550"}
    del postbox.answers["RCPT"]
    kept.edit(segment, owner_email="right@example.com")
    kept.work("reviews")
    assert [one["To"] for one in postbox.mails] == ["right@example.com"]
    postbox.answers["MAIL TAKEN"] = "452 full"
    with pytest.raises(RetryableError, match="SMTPDataError 452"):
        mail.send("rosa@example.com", "a", "b", "c")
    postbox.__exit__()
    with pytest.raises(RetryableError, match="cannot be reached"):
        mail.send("rosa@example.com", "a", "b", "c")


def test_without_a_server_an_owner_or_a_segment_that_is_on_nothing_is_mailed(kept, postbox, monkeypatch):
    kept.add("Nobody's", "number_of_orders = 1", review="2w")
    off = kept.add("Off", "number_of_orders = 2", review="2w", owner_email="rosa@example.com", enabled=False)
    kept.at = DUE
    kept.work("reviews")
    assert due(kept) == {DUE.date()}
    assert (postbox.mails, lane(kept).due_at) == ([], None)
    monkeypatch.delenv("SMTP_HOST")
    settings.cache_clear()
    kept.edit(off, enabled=True)
    kept.work("reviews")
    assert (postbox.mails, lane(kept).due_at) == ([], DUE + timedelta(days=1))  # somebody may set one up
    assert len(due(kept)) == 1


def test_a_review_before_its_day_counts_from_that_day_however_often_it_is_said(kept):
    segment = kept.add(review="2w")
    kept.at += timedelta(days=3)
    for note in ("too few of them", ""):
        kept.do(reviews.done, segment, by="", note=note)
        assert coming(kept) == [date(2026, 12, 7)]
    kept.at += timedelta(days=1)
    kept.do(reviews.done, segment, by="", note="as yesterday")
    assert coming(kept) == [date(2026, 12, 8)]
    with reading(kept.engine) as session:
        past = reviews.past(session, kept.shop_id, segment.segment_id)
    assert [(one.due_on, one.note) for one in past] == [
        (date(2026, 11, 24), "as yesterday"),
        (date(2026, 11, 23), "too few of them"),
    ]


def test_a_changed_rhythm_counts_from_the_last_review(kept):
    segment = kept.add(review="2w")
    kept.at += timedelta(days=3)
    kept.do(reviews.done, segment, by="")
    assert coming(kept) == [date(2026, 12, 7)]
    kept.edit(segment, review="11d")  # ends on the day for which it was done before its time
    assert coming(kept) == [date(2026, 12, 4)]
    kept.edit(segment, review="every 3 months")
    assert coming(kept) == [date(2027, 2, 23)]
    kept.edit(segment, review="never")
    assert coming(kept) == []
    with pytest.raises(RefusedError):
        kept.do(reviews.done, segment, by="")


def test_mail_is_encrypted_and_signed_in_where_the_settings_say_so(postbox, monkeypatch, tmp_path):
    postbox.context, trusted = certificate(tmp_path)
    for name, value in {"SMTP_TLS": "starttls", "SMTP_USER": "us", "SMTP_PASSWORD": "secret"}.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    with pytest.raises(RetryableError, match="cannot be reached \\(SSLCertVerificationError\\)"):
        mail.send("rosa@example.com", "a\nb", "c", "d")
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    mail.send("rosa@example.com", "a\nb", "c", "d")
    assert (postbox.signed_in, postbox.encrypted) == (["us"], [True])
    assert postbox.mails[0]["Subject"] == "a b"
    with monkeypatch.context() as wrong:
        wrong.setenv("SMTP_SENDER", "nobody")
        settings.cache_clear()
        with pytest.raises(MissingSecretError, match="SMTP_SENDER"):
            settings()
    settings.cache_clear()


def test_mornings_are_the_shops_own(kept):
    shop = kept.shop()
    shop.zone = "America/New_York"
    assert reviews.morning(shop, date(2026, 12, 4)) == datetime(2026, 12, 4, 13, tzinfo=UTC)
    assert clock.now() == kept.at
