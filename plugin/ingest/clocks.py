"""Records of one second put in order: platforms date their objects by the second, and their events more finely."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from connectors.records import Cart, Customer, Order, Product, Record

MOST = 999_999


def sharpen(record: Record, happened_at: datetime) -> Record:
    """Return a snapshot whose clock also tells which of two in one second is the later.

    Each millisecond from the object's time to the event's becomes a microsecond of the clock: what is dated in whole
    seconds stays within its second, in the order of the events. Facts, whose times mean something, stay as they are.
    """
    if isinstance(record, Cart):
        return replace(record, told_at=finer(record.changed_at, happened_at))
    if not isinstance(record, Customer | Order | Product):
        return record
    sharp = finer(record.updated_at, happened_at)
    if isinstance(record, Order) and record.customer is not None:
        customer = replace(record.customer, updated_at=finer(record.customer.updated_at, happened_at))
        return replace(record, updated_at=sharp, customer=customer)
    return replace(record, updated_at=sharp)


def finer(at: datetime, happened_at: datetime) -> datetime:
    if at.microsecond:
        return at
    milliseconds = int((happened_at - at).total_seconds() * 1000)
    return at.replace(microsecond=min(MOST, max(0, milliseconds)))
