"""What a shop comes to, kept so that nobody has to count: day by day, and by the scores of its customers."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from plugin.models.columns import big, day_key, keyed, moment, shop_key


class ShopDay(SQLModel, table=True):
    """What one day of the shop's came to, by all that is known of it at `counted_at`. A day of nothing has no row.

    `orders` are those placed on it that count, `known` those of them with an amount in the shop's currency; `minor` is
    what they came to, less whatever was refunded on them since. `first_orders` were their customers' first that
    counts, `second_orders` their second, `again_orders` all but the first; what is left has no customer. `added`:
    customers of today who were added on that day. `next_at`: when time alone makes it another.
    """

    __tablename__ = "shop_days"
    __table_args__ = keyed()

    shop_id: str = shop_key()
    day_on: date = day_key()
    added: int = big(0)
    orders: int = big(0)
    known: int = big(0)
    minor: int = big(0)
    first_orders: int = big(0)
    first_minor: int = big(0)
    second_orders: int = big(0)
    again_orders: int = big(0)
    again_minor: int = big(0)
    counted_at: datetime = moment(null=False)
    next_at: datetime | None = moment()


class DueDay(SQLModel, table=True):
    """A day of 24 hours in UTC, counted from 1970, of which what is kept has to be counted again.

    Marking adds one to `marks`; whoever counts deletes only the row whose marks they saw.
    """

    __tablename__ = "due_days"
    __table_args__ = keyed()

    shop_id: str = shop_key()
    day_number: int = Field(primary_key=True, sa_type=BigInteger)
    marks: int = big(1)


class RfmCell(SQLModel, table=True):
    """How many customers had these scores after the midnight `scored_at`, and what they had spent by then.

    All three scores are 0 for those who never ordered.
    """

    __tablename__ = "rfm_cells"
    __table_args__ = keyed()

    shop_id: str = shop_key()
    recency: int = Field(primary_key=True)
    frequency: int = Field(primary_key=True)
    monetary: int = Field(primary_key=True)
    customers: int = big(0)
    spent_minor: int = big(0)
    scored_at: datetime = moment(null=False)
