"""What a merchant keeps of customers beside what every store has: typed attributes, their values with their dates."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Index, text
from sqlmodel import SQLModel

from plugin.models.columns import big, day, id_, key, keyed, moment, moment_key, shop_key


class AttributeDefinition(SQLModel, table=True):
    """One attribute of a shop's customers, under the name that queries have for it after `attributes.`.

    A metafield's key is its namespace and key with a dot between. `kind` (`attributes.kinds`) stays as it was defined.
    `source`: metafield, survey, csv or api. `holders`: how many customers had a value when it was counted last.
    """

    __tablename__ = "attribute_definitions"
    __table_args__ = keyed()

    shop_id: str = shop_key()
    key: str = key()
    kind: str
    label: str | None = None
    source: str
    defined_at: datetime = moment(null=False)
    holders: int | None = big()


def partial(name: str, column: str) -> Index:
    """An index over the values that have something in a column, of which nearly all have nothing."""
    filled = text(f"{column} IS NOT NULL")
    columns = ("shop_id", "key", column, "customer_id")
    return Index(name, *columns, sqlite_where=filled, postgresql_where=filled)


class AttributeValue(SQLModel, table=True):
    """What an attribute of a customer was from `changed_at` on; without a value it has none from then on.

    `value` is the value as text, a list casefolded. `value_on` and `month_day` (101 to 1231, 29 February as 228) are a
    date's, `number` a number's: a decimal in ten-thousandths. The customer may not be known yet.
    """

    __tablename__ = "attribute_values"
    __table_args__ = keyed(
        partial("ix_attribute_values_on", "value_on"), partial("ix_attribute_values_month_day", "month_day")
    )

    shop_id: str = shop_key()
    customer_id: str = key()
    key: str = key()
    changed_at: datetime = moment_key()
    value: str | None = id_()
    value_on: date | None = day()
    month_day: int | None = None
    number: int | None = big()
