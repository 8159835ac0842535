"""Agents with a gate, a policy for them, and calibrators that say what a test wants to hear."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from agentcal import Confidence, DecisionPoint
from agentcal.policy import Always, Policy, Tiers, Verdict
from agentcal.testing import Ledger, call, calls, ledger_tools
from agentcal_langchain import CalibrationMiddleware
from tests.langchain.agents import ACCOUNTS, Watched, agent, on

PAY = call("transfer", {"source": "alice", "target": "bob", "amount": 30})
TIP = call("transfer", {"source": "alice", "target": "carol", "amount": 5})
LOOK = call("get_balance", {"account": "bob"})
ASK: Any = {"messages": [HumanMessage("Pay bob 30.")]}
SCRIPT: list[Any] = [calls(LOOK), calls(PAY), "Paid."]

APPROVE: dict[str, Any] = {"type": "approve"}
REJECT: dict[str, Any] = {"type": "reject", "message": "Not today."}
RESPOND: dict[str, Any] = {"type": "respond", "message": "I did it by hand."}
EDIT: dict[str, Any] = {
    "type": "edit",
    "edited_action": {
        "name": "transfer",
        "args": {"source": "alice", "target": "bob", "amount": 1},
    },
}


class Steady:
    """A calibrator that is always as sure, or by turn; each score is a new object."""

    def __init__(self, value: float = 0.7, turns: dict[int, float] | None = None) -> None:
        self.value, self.turns = value, turns or {}
        self.points: list[DecisionPoint] = []

    def predict(self, point: DecisionPoint, **_: Any) -> Confidence:
        self.points.append(point)
        value = self.turns.get(point.turn, self.value)
        return Confidence(value, 0.0, 1.0, 0.1, 0.5, True, point.kind, point.turn, "steady")


def on_transfer(verdict: Verdict, **more: Any) -> Policy:
    """This verdict on every transfer; all else proceeds."""
    settings: dict[str, Any] = {"mode": "enforce", **more}
    if verdict is Verdict.PROCEED:
        return Policy.of(Always(verdict=Verdict.ESCALATE, tools=("another",)), **settings)
    return Policy.of(Always(verdict=verdict, tools=("transfer",)), **settings)


def on_answer(verdict: Verdict, **more: Any) -> Policy:
    """This verdict on every answer."""
    settings: dict[str, Any] = {"mode": "enforce", **more}
    return Policy.of(Always(verdict=verdict, tiers=("answer",)), **settings)


class Desk:
    """An agent over a ledger, with a gate first in the list, and all that can be looked at."""

    def __init__(
        self,
        policy: Policy | None,
        script: Any = None,
        *,
        calibrator: Any = None,
        others: Sequence[Any] = (),
        last: bool = False,
        saver: Any = None,
        tools: Sequence[Any] = (),
        book: Ledger | None = None,
        graph: dict[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        self.watched = Watched(Steady() if calibrator is None else calibrator)
        self.book = Ledger(ACCOUNTS) if book is None else book
        self.middleware = CalibrationMiddleware(
            recorder=self.watched.recorder, policy=policy, **settings
        )
        stack = [*others, self.middleware] if last else [self.middleware, *others]
        self.graph = agent(
            stack,
            SCRIPT if script is None else script,
            [*ledger_tools(self.book), *tools],
            checkpointer=InMemorySaver() if saver is None else saver,
            **(graph or {}),
        )

    @property
    def moved(self) -> list[int]:
        """The amounts that were really moved."""
        return [entry.amount for entry in self.book.entries]

    def run(self) -> Any:
        """The one run in the record."""
        return self.watched.run()

    def ask(self, given: Any = ASK, thread: str = "t-1", **more: Any) -> Any:
        """Invoke the agent."""
        return self.graph.invoke(given, on(thread, **more))

    def answer(self, *decisions: Any, thread: str = "t-1") -> Any:
        """Resume the agent with these decisions."""
        return self.ask(Command(resume={"decisions": list(decisions)}), thread)

    def state(self, thread: str = "t-1") -> Any:
        """What the agent's state holds."""
        return self.graph.get_state(on(thread)).values

    def waiting(self, thread: str = "t-1") -> list[Any]:
        """The values of the interrupts that wait."""
        return [asked.value for asked in self.graph.get_state(on(thread)).interrupts]


WAYS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "invoke": lambda graph, given, config: graph.invoke(given, config),
    "ainvoke": lambda graph, given, config: asyncio.run(graph.ainvoke(given, config)),
    "stream": lambda graph, given, config: list(graph.stream(given, config, stream_mode="updates")),
    "astream": lambda graph, given, config: asyncio.run(_streamed(graph, given, config)),
}

FEW = ["invoke", "astream"]
"""Ways that have nothing in common, where all four would say the same."""


async def _streamed(graph: Any, given: Any, config: Any) -> None:
    async for _ in graph.astream(given, config, stream_mode=["messages", "updates"]):
        pass


def results(state: Any) -> list[tuple[str, str]]:
    """Status and text of all tool messages."""
    return [(m.status, m.text) for m in state["messages"] if isinstance(m, ToolMessage)]


def last_words(state: Any) -> str:
    """What the user gets to read."""
    message = state["messages"][-1]
    assert isinstance(message, AIMessage)
    return str(message.text)


def gates(state: Any, name: str = "CalibrationMiddleware") -> list[Any]:
    """What is frozen of each turn, oldest first."""
    return list(state["agentcal"][name]["gates"].values())


def is_well_formed(state: Any) -> bool:
    """Every call of a turn has one answer before the next turn: providers refuse all else."""
    open_calls: set[str] = set()
    for message in state["messages"]:
        if isinstance(message, ToolMessage):
            if message.tool_call_id not in open_calls:
                return False
            open_calls.remove(message.tool_call_id)
        else:
            if open_calls:
                return False
            if isinstance(message, AIMessage):
                open_calls = {call["id"] or "" for call in message.tool_calls}
    return not open_calls


RISKY = Tiers(tools={"get_balance": "read_only", "transfer": "destructive"})


@tool
def note(text: str) -> str:
    """Write something down."""
    return f"noted {text}"
