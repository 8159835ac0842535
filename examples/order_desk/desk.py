"""The desk's books: a SQLite database, the tools that use it, and what was written."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool, ToolException, tool

_SCHEMA = """
CREATE TABLE orders (
  id TEXT PRIMARY KEY, customer TEXT, item TEXT, price REAL, status TEXT, address TEXT,
  refunded REAL DEFAULT 0
);
CREATE TABLE writes (request INTEGER, tool TEXT, order_id TEXT, value TEXT);
"""


@dataclass(frozen=True)
class Order:
    """An order as it is when the day begins. ``status``: placed, shipped or delivered."""

    id: str
    customer: str
    item: str
    price: float
    status: str
    address: str


class Desk:
    """The database of the desk. Every write is booked with the request that it was made for."""

    def __init__(self, path: Path, orders: Sequence[Order], slow: Collection[int] = ()) -> None:
        """For the requests in ``slow`` the bank does not answer when a refund is first booked."""
        self.path, self._slow = path, set(slow)
        with self._open() as db:
            db.executescript(_SCHEMA)
            db.executemany(
                "INSERT INTO orders (id, customer, item, price, status, address)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                [(o.id, o.customer, o.item, o.price, o.status, o.address) for o in orders],
            )

    def writes(self) -> dict[int, list[tuple[str, str, str]]]:
        """What was written for each request, in the order in which it happened."""
        found: dict[int, list[tuple[str, str, str]]] = {}
        with self._open() as db:
            for request, *write in db.execute("SELECT * FROM writes ORDER BY rowid"):
                found.setdefault(request, []).append(tuple(write))
        return found

    def tools(self) -> list[BaseTool]:
        """The tools of the agent. Which request they work for, the thread of the graph says."""

        @tool
        def find_orders(customer: str) -> str:
            """List the orders of a customer: id, item and status."""
            rows = self._all("SELECT id, item, status FROM orders WHERE customer = ?", customer)
            return "\n".join(" | ".join(row) for row in rows) or f"no orders of {customer!r}"

        @tool
        def get_order(order_id: str) -> str:
            """All about one order: item, price, status, address, and what was refunded."""
            found = self._order(order_id)
            return ", ".join(f"{name}: {value}" for name, value in found.items())

        @tool
        def cancel_order(order_id: str, config: RunnableConfig) -> str:
            """Cancel an order that has not been shipped."""
            if self._order(order_id)["status"] != "placed":
                raise ToolException(f"order {order_id} has left the house; it cannot be cancelled")
            self._write(config, "cancel_order", order_id, "", "status = 'cancelled'")
            return f"order {order_id} is cancelled"

        @tool
        def refund(order_id: str, amount: float, config: RunnableConfig) -> str:
            """Pay money back for an order."""
            if amount > float(self._order(order_id)["price"]):
                raise ToolException(f"{amount:.2f} is more than was paid for order {order_id}")
            change = f"refunded = refunded + {float(amount)!r}"
            self._write(config, "refund", order_id, f"{amount:.2f}", change)
            if _request(config) in self._slow:
                self._slow.remove(_request(config))
                raise ToolException("503: no answer from the bank")
            return f"{amount:.2f} paid back for order {order_id}"

        @tool
        def change_address(order_id: str, address: str, config: RunnableConfig) -> str:
            """Send an order to another address."""
            if self._order(order_id)["status"] == "delivered":
                raise ToolException(f"order {order_id} was delivered already")
            self._write(config, "change_address", order_id, address, "address = :value")
            return f"order {order_id} goes to {address}"

        return [find_orders, get_order, cancel_order, refund, change_address]

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.path)) as db, db:
            db.execute("PRAGMA synchronous = OFF")  # an example, not a bank
            db.row_factory = sqlite3.Row
            yield db

    def _all(self, query: str, *values: str) -> list[sqlite3.Row]:
        with self._open() as db:
            return db.execute(query, values).fetchall()

    def _order(self, order_id: str) -> dict[str, str]:
        found = self._all("SELECT * FROM orders WHERE id = ?", order_id)
        if not found:
            raise ToolException(f"there is no order {order_id!r}")
        return {name: str(found[0][name]) for name in found[0].keys()}  # noqa: SIM118 - a Row

    def _write(
        self, config: RunnableConfig, name: str, order_id: str, value: str, change: str
    ) -> None:
        with self._open() as db:
            db.execute(
                f"UPDATE orders SET {change} WHERE id = :id",  # noqa: S608 - our own words
                {"id": order_id, "value": value},
            )
            booked = (_request(config), name, order_id, value)
            db.execute("INSERT INTO writes VALUES (?, ?, ?, ?)", booked)


def _request(config: RunnableConfig) -> int:
    return int(config["configurable"]["thread_id"])
