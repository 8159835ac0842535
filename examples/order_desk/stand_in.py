"""A model that needs no provider: it works at the desk with the habits that models have.

On most days it reads before it writes. On others it guesses an amount, mistakes one order for
another, or sends a payment twice because the first one seemed to have failed.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from wishes import Wish, wish

from agentcal.testing import call, calls, says

_HABITS = {"careful": 50, "hasty": 22, "stubborn": 14, "confused": 14}
_SORRY = "I am sorry, I could not do that. A colleague will look into it."


class Done(NamedTuple):
    """A call that the model has made, and what it has heard of it."""

    name: str
    arguments: dict[str, Any]
    result: str
    failed: bool


class Mind:
    """What the stand-in thinks about one request: the same request, the same thoughts."""

    def __init__(self, number: int) -> None:
        self.wish: Wish = wish(number)
        self.dice = random.Random(f"mind {number}")  # noqa: S311 - a die
        (self.habit,) = self.dice.choices(list(_HABITS), weights=list(_HABITS.values()))
        self.order_id = self.wish.order.id
        twins = [o for o in self.wish.orders[1:] if o.item == self.wish.order.item]
        if self.habit == "hasty" and twins and self.dice.random() < 0.5:
            self.order_id = twins[0].id
        if self.habit == "confused" and self.dice.random() < 0.7:
            self.order_id = self.wish.orders[-1].id
        if self.habit == "careful" and self.dice.random() < 0.03:
            self.order_id = self.wish.orders[-1].id

    def next(self, done: Sequence[Done]) -> AIMessage:
        """The next turn, after these calls."""
        if done and done[-1].failed and "503" not in done[-1].result:
            return self._refused(done)
        names = [d.name for d in done]
        if self.habit != "hasty" and "find_orders" not in names:
            return self._calls("find_orders", {"customer": self.wish.customer}, 0.05)
        if self._reads() and "get_order" not in names:
            return self._calls("get_order", {"order_id": self.order_id}, 0.05)
        written = [d for d in done if d.name == self.wish.tool]
        return self._written(done, written[-1]) if written else self._write(done)

    def _written(self, done: Sequence[Done], newest: Done) -> AIMessage:
        if newest.failed:
            return self._after_503(done)
        if self.habit == "careful" and done[-1].name != "get_order":
            return self._calls("get_order", {"order_id": self.order_id}, 0.05, "Let me check.")
        return self._says("Done, this is settled now.", 0.1 if self.habit == "careful" else 0.3)

    def _reads(self) -> bool:
        return self.habit in ("careful", "stubborn") or (
            self.habit == "confused" and self.wish.tool == "refund"
        )

    def _write(self, done: Sequence[Done]) -> AIMessage:
        if self.habit == "careful" and not self.wish.right:
            return self._says("This order is on its way; I cannot cancel it any more.", 0.1)
        doubt = {"careful": 0.08, "stubborn": 0.12, "hasty": 0.2, "confused": 0.5}[self.habit]
        text = "I think it is this one." if self.habit == "confused" else ""
        return self._calls(self.wish.tool, self._arguments(done), doubt, text)

    def _arguments(self, done: Sequence[Done]) -> dict[str, Any]:
        known: dict[str, Any] = {"order_id": self.order_id}
        if self.wish.tool == "change_address":
            known["address"] = self.wish.address
        if self.wish.tool == "refund":
            known["amount"] = self._amount(done)
        return known

    def _amount(self, done: Sequence[Done]) -> float:
        read = next((d.result for d in done if d.name == "get_order"), None)
        found = None if read is None else re.search(r"price: ([\d.]+)", read)
        # Who has not looked makes up a price.
        price = float(self.dice.choice([20, 25, 50])) if found is None else float(found[1])
        return round(price * self.wish.share, 2)

    def _after_503(self, done: Sequence[Done]) -> AIMessage:
        if self.habit != "careful":
            return self._calls(self.wish.tool, self._arguments(done), 0.3, "Let me try again.")
        if done[-1].name == self.wish.tool:
            known = {"order_id": self.order_id}
            return self._calls("get_order", known, 0.1, "Let me see whether it went through.")
        return self._says("The bank was slow, but the money is on its way.", 0.15)

    def _refused(self, done: Sequence[Done]) -> AIMessage:
        if self.habit != "confused" or len(done) > 4 or "no order" not in done[-1].result:
            return self._says(_SORRY, 0.3)
        return self._calls("find_orders", {"customer": self.wish.customer}, 0.4)

    def _calls(self, name: str, known: dict[str, Any], doubt: float, text: str = "") -> AIMessage:
        return calls(call(name, known), text=text, logprobs=self._logprobs(doubt))

    def _says(self, text: str, doubt: float) -> AIMessage:
        return says(text, logprobs=self._logprobs(doubt))

    def _logprobs(self, doubt: float) -> list[float]:
        """Twelve tokens whose mean surprise is about ``doubt``, in nats."""
        return [-self.dice.expovariate(1 / doubt) for _ in range(12)]


class StandIn(BaseChatModel):
    """The stand-in as a chat model. Put your own in its place."""

    model_name: str = "stand-in"

    @property
    def _llm_type(self) -> str:
        return "stand-in"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Runnable[Any, AIMessage]:
        """It knows the tools of the desk by heart."""
        return self.bind(**kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        asked = next(m.text for m in reversed(messages) if isinstance(m, HumanMessage))
        number = int(re.findall(r"(\d+):", asked)[0])
        reply = Mind(number).next(_done(messages))
        named = [
            {**c, "id": f"{number}-{len(messages)}-{i}"} for i, c in enumerate(reply.tool_calls)
        ]
        reply = reply.model_copy(update={"tool_calls": named})
        return ChatResult(generations=[ChatGeneration(message=reply)])


def _done(messages: Sequence[BaseMessage]) -> list[Done]:
    asked = {c["id"]: c for m in messages if isinstance(m, AIMessage) for c in m.tool_calls}
    return [
        Done(
            asked[m.tool_call_id]["name"],
            asked[m.tool_call_id]["args"],
            m.text,
            m.status == "error",
        )
        for m in messages
        if isinstance(m, ToolMessage)
    ]
