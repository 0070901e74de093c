"""An explanation in a merchant's words: values in the shop's money and on its clocks, and why something changes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from babel import numbers
from flask_babel import gettext, ngettext

from connectors.money import exponent
from plugin import dates, translating
from plugin.models.shops import Shop
from plugin.segments.asking.comparing import decimals
from plugin.segments.language.printing import canonical
from plugin.segments.language.schema import Type
from plugin.segments.language.tree import Between, InSegment, RelativeDate
from plugin.segments.why.ahead import Change, Passing, Reason
from plugin.segments.why.explain import Decision, Explanation, Part
from plugin.segments.why.seen import Chosen, Example
from plugin.translating import told


@dataclass(frozen=True)
class Voice:
    """In whose money, on whose clocks and in which language something is told."""

    shop: Shop
    locale: str = "en"

    def moment(self, at: datetime) -> str:
        """Return a moment on the shop's clocks; of one that begins a day, the day alone."""
        day = dates.today(at, self.shop.zone)
        return self.day(day) if dates.day_start(day, self.shop.zone) == at else self.exactly(at)

    def exactly(self, at: datetime) -> str:
        return translating.moment(at, ZoneInfo(self.shop.zone), self.locale)

    def day(self, day: date) -> str:
        return translating.day(day, self.locale)

    def value(self, kind: Type, value: Any) -> str:
        """Return a value of a column or of a sum."""
        match value:
            case None | ():
                return str(gettext("nothing"))
            case datetime():
                return self.exactly(value)
            case date():
                return self.day(value)
            case bool():
                return str(gettext("yes") if value else gettext("no"))
            case int() if kind is Type.MONEY:
                return self.money(value)
            case int():
                exact = Decimal(value).scaleb(-decimals(kind, self.shop.currency))
                return str(numbers.format_decimal(exact, locale=self.locale, decimal_quantization=False))
            case tuple():
                return ", ".join(value)
            case _:
                return str(value)

    def money(self, minor: int) -> str:
        amount = Decimal(minor).scaleb(-exponent(self.shop.currency))
        return str(numbers.format_currency(amount, self.shop.currency, locale=self.locale))

    def saw(self, part: Part) -> str:
        """Return what a clause saw."""
        if isinstance(part.saw, Chosen):
            return self.chosen(part.saw)
        if isinstance(part.clause, InSegment):
            return str(gettext("in it") if part.verdict else gettext("not in it"))
        return self.value(part.clause.field.type, part.saw) if part.clause else ""  # type: ignore[union-attr]

    def chosen(self, rows: Chosen) -> str:
        """Return how many rows were chosen, what they come to, and the latest of them."""
        seen = [str(ngettext("%(num)s found", "%(num)s found", rows.count))]
        seen += [f"{told(one.parameter.sentence)}: {self.value(one.parameter.type, one.value)}" for one in rows.totals]
        seen += [self.example(one) for one in rows.examples]
        return "; ".join(seen)

    def example(self, one: Example) -> str:
        day = self.day(dates.today(one.at, self.shop.zone)) if one.at else ""
        return f"{one.name} ({day})" if one.name else day

    def decided(self, decision: Decision) -> str | None:
        """Return who has the last word where it is not the query: a pin, with what is noted with it, or the ladder."""
        if decision.by == "ladder":
            return str(gettext("Its ladder decides: a customer stands on one level at most."))
        if decision.pin is None:
            return None
        pin = decision.pin
        kept = gettext("Pinned: always in it") if pin.inside else gettext("Pinned: never in it")
        until = gettext("until %(day)s", day=self.day(pin.ends_on)) if pin.ends_on else None
        return ", ".join(str(one) for one in (kept, until, pin.author, pin.reason) if one) + "."

    def next(self, found: Explanation) -> str:
        """Return when the verdict changes if nothing happens, and why."""
        if found.horizon == found.at:
            return str(gettext("Its ladder has a grace or a stay: when this changes is not foreseen."))
        if found.next is None:
            until = self.day(dates.today(found.horizon, self.shop.zone))
            return str(gettext("If nothing happens, this stays so until %(day)s at least.", day=until))
        when = self.moment(found.next.at)
        why = self.reasons(found.next)
        if found.next.verdict:
            return str(gettext("Enters on %(when)s if nothing happens: %(why)s.", when=when, why=why))
        return str(gettext("Leaves on %(when)s if nothing happens: %(why)s.", when=when, why=why))

    def reasons(self, change: Change) -> str:
        return "; ".join(dict.fromkeys(self.reason(one, change.at) for one in change.reasons))

    def reason(self, reason: Reason, at: datetime) -> str:
        if reason.passing:
            return self.passed(reason.passing, at)
        if reason.clause is None:
            return str(gettext("a pin has ended"))
        if reason.news == "scores":
            return str(gettext("scores are worked out anew"))
        if reason.verdict:
            return str(gettext("%(clause)s holds from then on", clause=canonical(reason.clause)))
        return str(gettext("%(clause)s no longer holds", clause=canonical(reason.clause)))

    def passed(self, passing: Passing, at: datetime) -> str:
        """Return how far a moment lies from the value that decides: 90 days after the latest order (13 Sep 2025)."""
        day, then = (dates.today(one, self.shop.zone) for one in (passing.value, at))
        what = " ".join(filter(None, (self.subject(passing), passing.row)))
        return str(
            gettext(
                "%(distance)s %(what)s (%(day)s)", distance=distance(passing, day, then), what=what, day=self.day(day)
            )
        )

    def subject(self, passing: Passing) -> str:
        """Return what a date is the day of."""
        return told(passing.condition.field.sentence).removeprefix("Day of ").removeprefix("Day ")


def distance(passing: Passing, day: date, then: date) -> str:
    """Return how far one day lies from another, in the query's own unit where that is exact: `12 months after`."""
    for relative in relatives(passing):
        if relative.unit != "d" and dates.shift(day, -relative.amount, relative.unit) == then:
            return spelled(-relative.amount, relative.unit)
    return spelled((then - day).days, "d")


def relatives(passing: Passing) -> Iterable[RelativeDate]:
    given = passing.condition
    ends = (given.low, given.high) if isinstance(given, Between) else (given.value,)
    return [one for one in ends if isinstance(one, RelativeDate)]


def spelled(amount: int, unit: str) -> str:
    number = abs(amount)
    after = {
        "d": ngettext("%(num)s day after", "%(num)s days after", number),
        "w": ngettext("%(num)s week after", "%(num)s weeks after", number),
        "m": ngettext("%(num)s month after", "%(num)s months after", number),
        "y": ngettext("%(num)s year after", "%(num)s years after", number),
    }
    before = {
        "d": ngettext("%(num)s day before", "%(num)s days before", number),
        "w": ngettext("%(num)s week before", "%(num)s weeks before", number),
        "m": ngettext("%(num)s month before", "%(num)s months before", number),
        "y": ngettext("%(num)s year before", "%(num)s years before", number),
    }
    if amount == 0:
        return str(gettext("on the day of"))
    return str((after if amount > 0 else before)[unit])
