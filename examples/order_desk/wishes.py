"""What customers ask for, and what would be the right thing to do about it."""

from __future__ import annotations

import random
from dataclasses import dataclass

from desk import Order

_NAMES = ("Mia Berg", "Tom Falk", "Ada Lind", "Jon Ek", "Eva Holm", "Leo Sund", "Ida Dahl")
_ITEMS = ("kettle", "desk lamp", "backpack", "toaster", "rug", "office chair", "headset")
_STREETS = ("Elm Street", "Mill Lane", "Harbour Road", "Station Square", "Kings Walk")


Write = tuple[str, str, str]


@dataclass(frozen=True)
class Wish:
    """What one customer wants of the desk.

    ``tool`` is what it takes; ``right`` are the writes that serve the wish as the database books
    them, none where it comes too late. ``orders``: those of the customer, the one in question
    first. ``share`` of the price is to be paid back, ``address`` is the new one.
    """

    number: int
    text: str
    customer: str
    orders: tuple[Order, ...]
    tool: str
    right: tuple[Write, ...]
    share: float = 1.0
    address: str = ""
    slow_bank: bool = False

    @property
    def order(self) -> Order:
        """The order that it is about."""
        return self.orders[0]


def wish(number: int) -> Wish:
    """The wish of customer ``number``; the same number, the same wish."""
    dice = random.Random(f"wish {number}")  # noqa: S311 - a die
    customer = f"{dice.choice(_NAMES)} {number}"
    kind = dice.choice(["cancel", "cancel late", "refund", "refund half", "move", "move"])
    status = {"cancel": "placed", "move": "placed", "cancel late": "shipped"}.get(kind, "delivered")
    meant = _order(dice, customer, status)
    # Half of the customers have bought the same thing twice.
    others = [_order(dice, customer, "delivered", meant.item)] if dice.random() < 0.5 else []
    others.append(_order(dice, customer, dice.choice(["placed", "delivered"])))
    return _wish(dice, kind, number, (meant, *others))


def _wish(dice: random.Random, kind: str, number: int, orders: tuple[Order, ...]) -> Wish:
    meant = orders[0]
    name = f"{meant.customer}: "
    about = f"the {meant.item}, order {meant.id}"
    if kind.startswith("cancel"):
        right = () if meant.status == "shipped" else (("cancel_order", meant.id, ""),)
        text = f"{name}please cancel {about}."
        return Wish(number, text, meant.customer, orders, "cancel_order", right)
    if kind == "move":
        address = f"{dice.choice(_STREETS)} {dice.randint(1, 99)}"
        text = f"{name}I have moved. Please send {about}, to {address}."
        moved = (("change_address", meant.id, address),)
        return Wish(number, text, meant.customer, orders, "change_address", moved, address=address)
    share = 0.5 if kind == "refund half" else 1.0
    wanted = "Half of the money would do." if share < 1 else "I want my money back."
    paid = (("refund", meant.id, f"{round(meant.price * share, 2):.2f}"),)
    slow = dice.random() < 0.4
    text = f"{name}{about} came damaged. {wanted}"
    return Wish(number, text, meant.customer, orders, "refund", paid, share=share, slow_bank=slow)


def _order(dice: random.Random, customer: str, status: str, item: str | None = None) -> Order:
    # Ends with the customer's number, so that no two customers have the same.
    number = "".join(dice.sample("123456789", 4)) + customer.rsplit(" ", 1)[1]
    price = dice.randint(12, 180) + dice.choice([0.0, 0.5, 0.9])
    address = f"{dice.choice(_STREETS)} {dice.randint(1, 99)}"
    return Order(number, customer, item or dice.choice(_ITEMS), price, status, address)
