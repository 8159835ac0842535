"""A stronger model is asked first; what it says is decided about like any reply."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableLambda

from agentcal.policy import Always, Policy, Verdict
from agentcal.testing import ScriptedChatModel, calls
from agentcal_langchain import CalibrationMiddleware
from agentcal_langgraph import CalibrationCallbackHandler
from tests.langchain.agents import ACCOUNTS, Watched, agent, on
from tests.langchain_gate.desk import (
    APPROVE,
    ASK,
    FEW,
    LOOK,
    PAY,
    REJECT,
    SCRIPT,
    TIP,
    WAYS,
    Desk,
    Ledger,
    Steady,
    gates,
    last_words,
    ledger_tools,
    on_answer,
    on_transfer,
    results,
)

ESCALATE = on_transfer(Verdict.ESCALATE)
DOUBTS: Any = AIMessage("", tool_calls=[{**LOOK, "id": "look-again"}])


class Asked:
    """A stronger model of any kind, and what it was asked."""

    def __init__(self, reply: Any, kind: str) -> None:
        self.reply, self.seen = reply, []  # type: ignore[var-annotated]
        model = ScriptedChatModel(script=lambda text: [reply] * 9, model_name="stronger")
        kinds: dict[str, Any] = {
            "model": model,
            "function": self._said,
            "coroutine": self._asaid,
            "runnable": RunnableLambda(lambda messages: self._said(messages, None)),
            "function that asks a model": lambda messages, turn: model.invoke(messages),
        }
        self.it = kinds[kind]

    def _said(self, messages: Any, turn: Any) -> Any:
        self.seen.append((messages, turn))
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply.model_copy() if isinstance(self.reply, AIMessage) else self.reply

    async def _asaid(self, messages: Any, turn: Any) -> Any:
        await asyncio.sleep(0)
        return self._said(messages, turn)


KINDS = ["model", "function", "coroutine", "runnable", "function that asks a model"]


@pytest.mark.parametrize("way", FEW)
@pytest.mark.parametrize("kind", KINDS)
def test_its_reply_takes_the_place_of_the_agents(kind: str, way: str) -> None:
    stronger = Asked(DOUBTS, kind)
    desk = Desk(ESCALATE, [calls(PAY), "Better not."], escalate_to=stronger.it)
    WAYS[way](desk.graph, ASK, on("t-1"))
    assert desk.moved == []
    assert desk.waiting() == []
    assert last_words(desk.state()) == "Better not."
    assert [text for _, text in results(desk.state())] == ["bob holds 20"]
    run = desk.run()
    assert [[c.name for c in step.tool_calls] for step in run.steps] == [["get_balance"], []]
    known = "model" in kind
    assert run.steps[0].model == ("stronger" if known else None)
    for messages, turn in stronger.seen:
        assert messages[-1].text == "Pay bob 30."
        assert turn is None or turn.calls[0].name == "transfer"


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("kind", ["model", "function"])
@pytest.mark.parametrize(("answer", "moved"), [(APPROVE, [5]), (REJECT, [])])
def test_if_it_may_not_go_on_either_people_are_asked(
    answer: Any, moved: Any, kind: str, asynchronous: bool
) -> None:
    stronger = Asked(AIMessage("", tool_calls=[{**TIP, "id": "tip"}]), kind)
    desk = Desk(ESCALATE, [calls(PAY), "Done."], escalate_to=stronger.it)
    way = WAYS["ainvoke" if asynchronous else "invoke"]
    way(desk.graph, ASK, on("t-1"))
    (asked,) = desk.waiting()
    assert [one["args"]["amount"] for one in asked["action_requests"]] == [5]
    desk.answer(answer)
    assert desk.moved == moved
    assert len(stronger.seen) == (0 if kind == "model" else 1)  # not asked again by a resume


def test_without_a_checkpointer_the_run_ends_instead() -> None:
    stronger = Asked(AIMessage("", tool_calls=[{**TIP, "id": "tip"}]), "function")
    book = Ledger(ACCOUNTS)
    gate = CalibrationMiddleware(
        Steady(),  # type: ignore[arg-type]
        ESCALATE,
        escalate_to=stronger.it,
        abstain_message="Call us.",
    )
    state = agent([gate], SCRIPT, ledger_tools(book)).invoke(ASK)
    assert (book.entries, last_words(state)) == ([], "Call us.")
    assert "nobody can be asked" in results(state)[-1][1]


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("reply", [TimeoutError("secret"), "not a message"])
def test_if_it_fails_people_are_asked_about_the_first_reply(
    reply: Any, asynchronous: bool, caplog: Any
) -> None:
    stronger = Asked(reply, "function")
    desk = Desk(ESCALATE, [calls(PAY), "Done."], escalate_to=stronger.it)
    WAYS["ainvoke" if asynchronous else "invoke"](desk.graph, ASK, on("t-1"))
    (asked,) = desk.waiting()
    assert asked["action_requests"][0]["args"] == PAY["args"]
    assert "the stronger model failed" in caplog.text
    assert "secret" not in caplog.text
    desk.answer(APPROVE)
    assert desk.moved == [30]


def test_it_is_not_asked_in_shadow_nor_where_the_run_ends_anyway() -> None:
    for policy in (
        on_transfer(Verdict.ESCALATE, mode="shadow"),
        on_transfer(Verdict.ABSTAIN),
        on_transfer(Verdict.PROCEED),
        on_transfer(Verdict.VERIFY, max_checks=9),
    ):
        stronger = Asked(DOUBTS, "function")
        desk = Desk(policy, [calls(PAY), "Done."], escalate_to=stronger.it)
        desk.ask()
        assert stronger.seen == []


def test_it_may_give_another_answer() -> None:
    policy = Policy.of(Always(verdict=Verdict.ESCALATE, tools=("transfer",)), mode="enforce")
    desk = Desk(policy, [calls(PAY)], escalate_to=Asked(AIMessage("I cannot."), "function").it)
    desk.ask()
    assert last_words(desk.state()) == "I cannot."
    other = Asked(AIMessage("Paid, I think."), "function").it
    desk = Desk(on_answer(Verdict.ESCALATE), escalate_to=other)
    desk.ask()
    (asked,) = desk.waiting()
    assert asked["action_requests"][0]["args"] == {"text": "Paid, I think."}


@pytest.mark.parametrize("kind", KINDS)
def test_a_handler_records_one_turn_of_it(kind: str) -> None:
    watched = Watched(Steady())
    handler = CalibrationCallbackHandler(watched.recorder)
    stronger = Asked(DOUBTS, kind)
    desk = Desk(ESCALATE, [calls(PAY), "Better not."], escalate_to=stronger.it)
    WAYS["ainvoke"](desk.graph, ASK, on("t-1", callbacks=[handler]))
    run = watched.run()
    assert [[c.name for c in step.tool_calls] for step in run.steps] == [
        ["transfer"],
        ["get_balance"],
        [],
    ]
    turns = [one["decision"]["turn"] for one in gates(desk.state())]
    assert turns == [2, 3]
