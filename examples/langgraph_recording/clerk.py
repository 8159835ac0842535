"""A payment clerk as a LangGraph agent, and the scripted model that plays its part offline."""

from __future__ import annotations

import random
import re
import zlib
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, SystemMessage
from langchain_core.tools import BaseTool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

from agentcal import Usage
from agentcal.testing import Ledger, ScriptedChatModel, call, calls, ledger_tools, says

NAMES = ("alice", "bob", "carol", "dave", "erin")
SYSTEM = "You are a payment clerk. Pay exactly what you are asked to pay, once."


def clerk(model: BaseChatModel, tools: list[BaseTool]) -> Any:
    """A hand-built graph: model, tools, round and round. Nothing in it knows of agentcal."""
    bound = model.bind_tools(tools)

    def think(state: MessagesState) -> dict[str, list[AIMessage]]:
        return {"messages": [bound.invoke([SystemMessage(SYSTEM), *state["messages"]])]}

    builder = StateGraph(MessagesState)
    builder.add_node("think", think)
    builder.add_node("tools", ToolNode(tools, handle_tool_errors=True))
    builder.add_edge(START, "think")
    builder.add_conditional_edges("think", tools_condition)
    builder.add_edge("tools", "think")
    return builder.compile(checkpointer=InMemorySaver(), name="clerk")


def scripted_clerk(ledger: Ledger) -> Any:
    """The clerk with a model that needs no provider. Put your own chat model in its place."""
    return clerk(ScriptedChatModel(script=turns_for, model_name="stand-in"), ledger_tools(ledger))


def task(number: int) -> str:
    """The request of customer ``number``."""
    dice = random.Random(number)  # noqa: S311 - a die
    payer, payee = dice.sample(NAMES, 2)
    return f"Pay {payee} {dice.randint(12, 98)} from {payer}'s account. (Invoice {number})"


def asked_for(request: str) -> tuple[str, str, int]:
    """Payer, payee and amount of a request."""
    found = re.match(r"Pay (\w+) (\d+) from (\w+)'s", request)
    assert found is not None
    return found[3], found[1], int(found[2])


def turns_for(request: str) -> list[Any]:
    """What the stand-in does about a request: some days it is careful, on others it is not."""
    dice = random.Random(zlib.crc32(request.encode()))  # noqa: S311 - a die
    payer, payee, amount = asked_for(request)
    habits = [_careful, _quick, _hesitant, _lost]
    (habit,) = dice.choices(habits, weights=[40, 25, 20, 15])
    return habit(dice, payer, payee, amount)


def _careful(dice: random.Random, payer: str, payee: str, amount: int) -> list[Any]:
    look = calls(call("get_balance", {"account": payer}), usage=_usage(dice))
    check = calls(call("verify_ledger"), text="Let me check the books.", usage=_usage(dice))
    done = _reply(dice, 0.05, f"Done: {payee} has got {amount} from {payer}.")
    return [look, _pay(dice, 0.05, payer, payee, amount), check, done]


def _quick(dice: random.Random, payer: str, payee: str, amount: int) -> list[Any]:
    """No look at anything first. One time in five it pays the wrong way round."""
    if dice.random() < 0.2:
        payer, payee = payee, payer
    return [_pay(dice, 0.2, payer, payee, amount), _reply(dice, 0.1, f"Paid {amount}.")]


def _hesitant(dice: random.Random, payer: str, payee: str, amount: int) -> list[Any]:
    """Unsure of the amount, and half of the time it turns the digits round."""
    amount = int(str(amount)[::-1]) if dice.random() < 0.5 else amount
    sure = _pay(dice, 0.6, payer, payee, amount, text="I think it was this much.")
    return [sure, _reply(dice, 0.5, f"I believe that {payee} has been paid.")]


def _lost(dice: random.Random, payer: str, payee: str, amount: int) -> list[Any]:
    """It misspells an account, is told so, and finds the right one or gives up."""
    first = _pay(dice, 0.8, payer[:-1], payee, amount, text="Let me try.")
    if dice.random() < 0.4:
        return [first, _pay(dice, 0.3, payer, payee, amount), _reply(dice, 0.2, "Paid now.")]
    again = _pay(dice, 0.8, payer[:-1], payee, amount, text="Let me try that again.")
    return [first, again, _reply(dice, 0.9, "Sorry, I could not find that account.")]


def _pay(
    dice: random.Random, doubt: float, payer: str, payee: str, amount: int, *, text: str = ""
) -> AIMessage:
    transfer = call("transfer", {"source": payer, "target": payee, "amount": amount})
    return calls(transfer, text=text, logprobs=_logprobs(dice, doubt), usage=_usage(dice))


def _reply(dice: random.Random, doubt: float, text: str) -> AIMessage:
    return says(text, logprobs=_logprobs(dice, doubt), usage=_usage(dice))


def _logprobs(dice: random.Random, doubt: float) -> list[float]:
    """Twelve tokens whose mean surprise is about ``doubt``, in nats."""
    return [-dice.expovariate(1 / doubt) for _ in range(12)]


def _usage(dice: random.Random) -> Usage:
    return Usage(input_tokens=dice.randint(150, 400), output_tokens=dice.randint(8, 40))
