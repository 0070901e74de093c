"""The best hand-written SQL that we know for the same twelve segments, on tables of its own: what ours is measured by.

One shop, whole numbers for keys, one fixed set of segments as bits of a mask, one transaction; no history, no causes,
no marks for tags. *base* works a customer's summary out from the orders, *delta* adds the new orders to the summary.
What would make a batch cost the whole shop: a temporary table without ANALYZE, UPDATE … FROM on SQLite, and on
Postgres DELETE … USING and hash joins where the planner is left to choose.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from plugin import db
from tests.bench import store
from tests.bench.store import DAY

NEVER = 1 << 60
SUMMARY = "n spend first last coded run1 run2 cart born mask next_at".split()
COLUMNS = f"customer_id BIGINT PRIMARY KEY, {', '.join(f'{name} BIGINT' for name in SUMMARY)}"
TABLES = {
    "customers": "id BIGINT PRIMARY KEY, domain TEXT, country TEXT, subscribed INT, born INT",
    "product_tags": "tag TEXT, product_id BIGINT, PRIMARY KEY (tag, product_id)",
    "orders": "id BIGINT PRIMARY KEY, customer_id BIGINT, created_at BIGINT, total BIGINT, coded INT, counts INT",
    "line_items": "id BIGINT PRIMARY KEY, order_id BIGINT, product_id BIGINT",
    "carts": "id BIGINT PRIMARY KEY, customer_id BIGINT, updated_at BIGINT, completed_at BIGINT",
    "customer_stats": COLUMNS,
    "segment_members": "segment_id BIGINT, customer_id BIGINT, PRIMARY KEY (segment_id, customer_id)",
}
TEMPORARY = {
    "d": "customer_id BIGINT PRIMARY KEY",
    "nb": "customer_id BIGINT, created_at BIGINT, total BIGINT, coded INT, running INT",
    "nw": COLUMNS,
    "gone": "segment_id BIGINT, customer_id BIGINT",
    "seg": "id BIGINT PRIMARY KEY, bit BIGINT",
    "birthdays": "born INT PRIMARY KEY, soon INT, changes BIGINT",
}
INDEXES = (
    "CREATE INDEX orders_created ON orders (created_at)",
    "CREATE INDEX lines_order ON line_items (order_id, product_id)",
    "CREATE INDEX carts_customer ON carts (customer_id)",
)


class Handwritten:
    """A database of its own, brought up to date by SQL for this workload alone."""

    def __init__(self, url: str, how: Literal["base", "delta"]) -> None:
        self.how = how
        self.postgres = not url.startswith("sqlite")
        self.engine = db.connect(url)  # journal and synchronous settings are the app's
        self.connection: Any = self.engine.raw_connection().driver_connection
        if self.postgres:
            self.connection.autocommit = True
        self.do = self.connection.execute
        self.lines = 0
        self.whole_seconds = 0.0

    # -- what is not timed

    def load(self, made: store.Store, at: int) -> None:
        rowid = "" if self.postgres else " WITHOUT ROWID"
        for name, columns in TABLES.items():
            kind = columns if self.postgres else columns.replace("BIGINT PRIMARY KEY", "INTEGER PRIMARY KEY")
            self.do(f"CREATE TABLE {name} ({kind}){rowid if 'PRIMARY KEY (' in columns else ''}")
        for name, columns in TEMPORARY.items():
            self.do(f"CREATE TEMPORARY TABLE {name} ({columns})")
        self.do("BEGIN")
        self.add("seg", [(number, 1 << number) for number in range(12)])
        self.add("birthdays", birthdays(day(at)))
        self.add("customers", (customer_row(one) for one in made.customers))
        self.add("product_tags", ((tag, number) for number, tags in enumerate(made.tags) for tag in tags))
        self.add("carts", made.carts)
        self.place(made.orders)
        self.do("COMMIT")
        for index in INDEXES:
            self.do(index)
        if self.postgres:
            self.do(
                "CREATE INDEX orders_cover ON orders (customer_id) INCLUDE (created_at, total, coded) WHERE counts = 1"
            )
        else:
            self.do("CREATE INDEX orders_cover ON orders (customer_id, counts, created_at, total, coded)")
        self.do("VACUUM ANALYZE" if self.postgres else "ANALYZE")
        began = time.perf_counter()
        self.whole(at)
        self.whole_seconds = time.perf_counter() - began
        self.do("CREATE INDEX stats_next ON customer_stats (next_at)")
        self.do("VACUUM ANALYZE" if self.postgres else "ANALYZE")

    def score(self) -> None:
        """Set the bit of the segment by scores, which stays as it is until the next night."""
        scored = ", ".join(
            f"1 + 5 * (rank() OVER (ORDER BY {by}) - 1) / count(*) OVER () AS {by[0]}" for by in ("last", "n", "spend")
        )
        chosen = f"SELECT customer_id FROM (SELECT customer_id, {scored} FROM customer_stats WHERE n > 0) x WHERE l <= 2 AND n >= 4 AND s >= 4"
        self.do(f"UPDATE customer_stats SET mask = mask + 16 WHERE customer_id IN ({chosen})")

    def place(self, orders: Iterable[store.Order]) -> None:
        placed = list(orders)
        self.add("orders", (order_row(one) for one in placed))
        lines = [(one.number, product) for one in placed for product in one.products]
        self.add("line_items", ((self.lines + index, *line) for index, line in enumerate(lines)))
        self.lines += len(lines)

    def members(self) -> set[tuple[int, int]]:
        return {(row[0], row[1]) for row in self.do("SELECT segment_id, customer_id FROM segment_members").fetchall()}

    def close(self) -> None:
        self.connection.close()
        self.engine.dispose()

    # -- what is timed

    def whole(self, at: int) -> None:
        """Work out everybody, into empty tables."""
        self.do("BEGIN")
        everybody = "(SELECT id AS customer_id FROM customers)"
        self.do(f"INSERT INTO customer_stats {self.from_orders(everybody, at, whole=True)}")
        self.score()
        self.do(
            "INSERT INTO segment_members SELECT s.id, o.customer_id FROM seg s JOIN customer_stats o ON o.mask & s.bit <> 0"
        )
        self.do("COMMIT")

    def run(self, orders: Sequence[store.Order], at: int, running: frozenset[int]) -> None:
        """Bring summary and members up to date after new orders."""
        self.do("BEGIN" if self.postgres else "BEGIN IMMEDIATE")
        self.fill("d", [(customer,) for customer in sorted({one.customer for one in orders})])
        self.empty("nw")
        if self.how == "delta":
            self.fill(
                "nb",
                [
                    (*order_row(one)[1:5], int(not running.isdisjoint(one.products)))
                    for one in orders
                    if one.state != "cancelled"
                ],
            )
            self.do(f"INSERT INTO nw {self.from_summary(at)}")
        else:
            self.do(f"INSERT INTO nw {self.from_orders('d', at)}")
        if self.postgres:
            self.do("ANALYZE nw")
        self.apply()
        self.do("COMMIT")

    def apply(self) -> None:
        cross = "JOIN" if self.postgres else "CROSS JOIN"
        changed = "SELECT s.id, nw.customer_id FROM nw {0} customer_stats o ON o.customer_id = nw.customer_id {0} seg s ON {1} & s.bit <> 0"
        left = changed.format(cross, "(o.mask & ~nw.mask)")
        if self.postgres:
            self.do("SET LOCAL enable_hashjoin = off")
            self.do("SET LOCAL enable_mergejoin = off")
        self.do(f"INSERT INTO segment_members {changed.format(cross, '(nw.mask & ~o.mask)')}")
        if self.postgres:
            self.empty("gone")
            self.do(f"INSERT INTO gone {left}")
            self.do("ANALYZE gone")
            self.do(
                "DELETE FROM segment_members m USING gone g WHERE m.segment_id = g.segment_id AND m.customer_id = g.customer_id"
            )
        else:
            self.do(f"DELETE FROM segment_members WHERE (segment_id, customer_id) IN ({left})")
        new = ", ".join(f"{name} = excluded.{name}" for name in SUMMARY)
        self.do(f"INSERT INTO customer_stats SELECT * FROM nw WHERE true ON CONFLICT (customer_id) DO UPDATE SET {new}")

    def fill(self, name: str, rows: Sequence[Any]) -> None:
        self.empty(name)
        self.add(name, rows)
        self.do(f"ANALYZE {name}")

    def empty(self, name: str) -> None:
        self.do(f"TRUNCATE {name}" if self.postgres else f"DELETE FROM {name}")

    def add(self, name: str, rows: Iterable[Sequence[Any]]) -> None:
        if not self.postgres:
            columns = {**TABLES, **TEMPORARY}[name].split(" PRIMARY KEY (")[0].rstrip(",").count(",") + 1
            self.connection.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * columns)})", rows)
            return
        with self.connection.cursor() as cursor, cursor.copy(f"COPY {name} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)

    # -- the SQL

    def from_orders(self, source: str, at: int, *, whole: bool = False) -> str:
        """New summary rows for the customers in `source`, from base tables."""
        join = "JOIN" if self.postgres or whole else "CROSS JOIN"
        index = "" if self.postgres or whole else "INDEXED BY orders_cover"
        once = "MATERIALIZED" if self.postgres else ""
        tagged = "SELECT product_id FROM product_tags WHERE tag = 'running'"
        scores = "0" if whole else "(SELECT mask & 16 FROM customer_stats z WHERE z.customer_id = d.customer_id)"
        return f"""
            WITH o AS {once} (
                SELECT o.customer_id, count(*) n, CAST(sum(total) AS BIGINT) spend, min(created_at) AS first, max(created_at) AS last,
                    sum(o.coded) coded
                FROM {source} d {join} orders o {index} ON o.customer_id = d.customer_id WHERE o.counts = 1 GROUP BY 1),
            r0 AS (
                SELECT o.customer_id, o.created_at, row_number() OVER (PARTITION BY o.customer_id ORDER BY o.created_at DESC) rn
                FROM {source} d {join} orders o {index} ON o.customer_id = d.customer_id
                WHERE o.counts = 1 AND o.created_at >= {day(at) - 180 * DAY}
                    AND EXISTS (SELECT 1 FROM line_items l WHERE l.order_id = o.id AND {"" if self.postgres else "+"}l.product_id IN ({tagged}))),
            r AS (SELECT customer_id, max(CASE WHEN rn = 1 THEN created_at END) run1, max(CASE WHEN rn = 2 THEN created_at END) run2
                FROM r0 WHERE rn <= 2 GROUP BY 1),
            c AS (SELECT k.customer_id, max(k.updated_at) u FROM {source} d {join} carts k ON k.customer_id = d.customer_id
                WHERE k.completed_at IS NULL GROUP BY 1),
            x AS (
                SELECT d.customer_id, coalesce(o.n, 0) n, coalesce(o.spend, 0) spend, o.first AS first, o.last AS last,
                    coalesce(o.coded, 0) coded, r.run1, r.run2, c.u cart,
                    CASE WHEN cu.subscribed = 1 THEN cu.born END born, b.soon, b.changes, {scores}
                    + 128 * (CASE WHEN cu.country IN ('GB', 'IE', 'DE', 'AT', 'CH') THEN 1 ELSE 0 END)
                    + 1024 * (CASE WHEN cu.domain IN ('college.example.com', 'tech.example.com') THEN 1 ELSE 0 END) AS stat
                FROM {source} d {join} customers cu ON cu.id = d.customer_id LEFT JOIN o ON o.customer_id = d.customer_id
                LEFT JOIN r ON r.customer_id = d.customer_id LEFT JOIN c ON c.customer_id = d.customer_id
                LEFT JOIN birthdays b ON b.born = (CASE WHEN cu.subscribed = 1 THEN cu.born END))
            {self.verdicts(at)}"""

    def from_summary(self, at: int) -> str:
        """New summary rows for the customers in `d`, from the old ones and the new orders in `nb`."""
        join, once = ("JOIN", "MATERIALIZED") if self.postgres else ("CROSS JOIN", "")
        great = "greatest({0}, {1})" if self.postgres else "max(coalesce({0}, {1}), coalesce({1}, {0}))"
        small = "least" if self.postgres else "min"
        both = f"CASE WHEN s.run1 IS NOT NULL AND h.m1 IS NOT NULL THEN {small}(s.run1, h.m1) END"
        return f"""
            WITH g AS {once} (SELECT customer_id, count(*) n, CAST(sum(total) AS BIGINT) spend, min(created_at) f, max(created_at) l,
                    sum(coded) coded FROM nb GROUP BY 1),
            h0 AS (SELECT customer_id, created_at, row_number() OVER (PARTITION BY customer_id ORDER BY created_at DESC) rn FROM nb WHERE running = 1),
            h AS {once} (SELECT customer_id, max(CASE WHEN rn = 1 THEN created_at END) m1, max(CASE WHEN rn = 2 THEN created_at END) m2 FROM h0 GROUP BY 1),
            x AS (
                SELECT d.customer_id, s.n + coalesce(g.n, 0) n, s.spend + coalesce(g.spend, 0) spend, coalesce(s.first, g.f) AS first,
                    {great.format("s.last", "g.l")} AS last,
                    s.coded + coalesce(g.coded, 0) coded, {great.format("s.run1", "h.m1")} run1,
                    {great.format(f"({both})", great.format("s.run2", "h.m2"))} run2, s.cart, s.born, b.soon, b.changes,
                    s.mask & 1168 AS stat
                FROM d {join} customer_stats s ON s.customer_id = d.customer_id LEFT JOIN g ON g.customer_id = d.customer_id
                LEFT JOIN h ON h.customer_id = d.customer_id LEFT JOIN birthdays b ON b.born = s.born)
            {self.verdicts(at)}"""

    def verdicts(self, at: int) -> str:
        """The columns of the summary from those of x, then the mask and the moment at which time alone may change it."""
        today = day(at)
        bits = {
            1: "spend >= 100000 AND n >= 5",
            2: f"first >= {today - 30 * DAY}",
            4: "n = 1",
            8: f"last >= {today - 365 * DAY} AND last < {today - 90 * DAY}",
            32: f"run2 >= {today - 180 * DAY}",
            64: f"cart >= {today - 7 * DAY - 3600} AND (n = 0 OR last < cart)",
            256: "n >= 1 AND spend >= 15001 * n",
            512: "n >= 2 AND coded >= 1",
            2048: "soon = 1 AND n >= 1",
        }
        mask = " + ".join(f"(CASE WHEN {condition} THEN {bit} ELSE 0 END)" for bit, condition in bits.items())
        edges = (("first", 31), ("last", 90), ("last", 366), ("run2", 181), ("cart", 8))
        moments = ", ".join(
            f"CASE WHEN {name} + {days * DAY} > {at} THEN {name} + {days * DAY} ELSE {NEVER} END"
            for name, days in edges
        )
        birthday = f"CASE WHEN n >= 1 THEN coalesce(changes, {NEVER}) ELSE {NEVER} END"
        columns = ", ".join(SUMMARY[:-2])
        return f"SELECT customer_id, {columns}, {mask} + stat, {'least' if self.postgres else 'min'}({moments}, {birthday}) FROM x"


def day(at: int) -> int:
    return at - at % DAY


def customer_row(one: store.Customer) -> tuple[Any, ...]:
    return one.number, one.domain, one.country, int(one.subscribed), one.born_on % 10_000 if one.born_on else None


def birthdays(today: int) -> Iterator[tuple[int, int, int]]:
    """Yield each day of a year without a 29 February, whether it lies in the coming fortnight, and when that changes."""
    for days in range(365):
        began = today + days * DAY
        day_of = datetime.fromtimestamp(began, UTC)
        yield day_of.month * 100 + day_of.day, int(days < 14), began + DAY if days < 14 else began - 13 * DAY


def order_row(one: store.Order) -> tuple[int, ...]:
    total = 0 if one.state == "refunded" else one.total
    return one.number, one.customer, one.placed_at, total, int(one.coded), int(one.state != "cancelled")
