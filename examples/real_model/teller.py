"""A bank teller as a LangGraph agent, its requests, and who checks what came of them."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import BaseTool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

from agentcal.testing import Ledger, LedgerEntry, call

NAMES = ("alice", "bob", "erin", "frank", "grace")


def _example(asked: str, tool: str, arguments: dict[str, Any], result: str, reply: str) -> Any:
    proposed = call(tool, arguments, call_id=f"example-{tool}")
    return [
        HumanMessage(asked),
        AIMessage("", tool_calls=[proposed]),
        ToolMessage(result, tool_call_id=f"example-{tool}"),
        AIMessage(reply),
    ]


# A model this small has to be shown how it is done.
BRIEFING: Sequence[AnyMessage] = [
    SystemMessage("You are a bank teller."),
    *_example(
        "What does carol have?",
        "get_balance",
        {"account": "carol"},
        "carol holds 7",
        "Carol has 7.",
    ),
    *_example(
        "Move 3 from carol to dave.",
        "transfer",
        {"source": "carol", "target": "dave", "amount": 3},
        "moved 3 from carol to dave",
        "Done: 3 moved from carol to dave.",
    ),
]


class Request(NamedTuple):
    """What a customer wants: to know a balance, or to have money moved."""

    text: str
    account: str
    transfer: LedgerEntry | None

    def fulfilled(self, ledger: Ledger, reply: str) -> bool:
        """Whether the books, and the figure in the reply, are as they should be."""
        if self.transfer is not None:
            return ledger.entries == [self.transfer]
        told = re.findall(r"\d+", reply)
        return ledger.entries == [] and str(ledger.balance(self.account)) in told


def accounts() -> Ledger:
    """The books in the morning."""
    dice = random.Random(7)  # noqa: S311 - a die
    return Ledger({name: dice.randint(60, 900) for name in NAMES})


def request(number: int) -> Request:
    """What customer ``number`` wants."""
    dice = random.Random(number)  # noqa: S311 - a die
    one, other = dice.sample(NAMES, 2)
    amount = dice.randint(2, 50)
    moved = LedgerEntry(one, other, amount)
    return dice.choice(
        [
            Request(f"What does {one} have?", one, None),
            Request(f"How much money does {one} hold?", one, None),
            Request(f"Move {amount} from {one} to {other}.", one, moved),
            Request(f"Pay {other} {amount} from the account of {one}.", one, moved),
            Request(f"Give {other} {amount} of what {one} has.", one, moved),
        ]
    )


def teller(model: BaseChatModel, tools: Sequence[BaseTool]) -> Any:
    """The agent: model, tools, round and round."""
    bound = model.bind_tools(tools)

    def think(state: MessagesState) -> dict[str, list[AIMessage]]:
        return {"messages": [bound.invoke([*BRIEFING, *state["messages"]])]}

    builder = StateGraph(MessagesState)
    builder.add_node("think", think)
    builder.add_node("tools", ToolNode(tools, handle_tool_errors=True))
    builder.add_edge(START, "think")
    builder.add_conditional_edges("think", tools_condition)
    builder.add_edge("tools", "think")
    return builder.compile(name="teller")
