"""Beside other middleware, in either order: a call that was not let through never runs."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest
from langchain.agents.middleware import (
    AgentMiddleware,
    ContextEditingMiddleware,
    HumanInTheLoopMiddleware,
    LLMToolEmulator,
    ModelCallLimitMiddleware,
    ModelFallbackMiddleware,
    ModelRetryMiddleware,
    PIIMiddleware,
    SummarizationMiddleware,
    TodoListMiddleware,
    ToolCallLimitMiddleware,
    ToolErrorMiddleware,
    ToolRetryMiddleware,
    hook_config,
)
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.types import Command

from agentcal.policy import Always, Policy, Verdict
from agentcal.testing import ScriptedChatModel, call, calls, fails, says
from tests.langchain.agents import MODES, PER_CALL, on
from tests.langchain_gate.desk import (
    APPROVE,
    ASK,
    EDIT,
    LOOK,
    PAY,
    REJECT,
    SCRIPT,
    TIP,
    WAYS,
    Desk,
    gates,
    is_well_formed,
    last_words,
    on_answer,
    on_transfer,
    results,
)

ESCALATE = on_transfer(Verdict.ESCALATE)
OTHERS: dict[str, Any] = {
    "ToolRetry": lambda: ToolRetryMiddleware(initial_delay=0, jitter=False),
    "ToolError": lambda: ToolErrorMiddleware(lambda request, error: "failed"),
    "ModelRetry": lambda: ModelRetryMiddleware(initial_delay=0, jitter=False),
    "ModelFallback": lambda: ModelFallbackMiddleware(ScriptedChatModel(script=SCRIPT)),
    "ToolCallLimit": lambda: ToolCallLimitMiddleware(run_limit=9),
    "ModelCallLimit": lambda: ModelCallLimitMiddleware(run_limit=9),
    "Summarization": lambda: SummarizationMiddleware(
        ScriptedChatModel(script=["Pay bob 30."]),
        trigger=("messages", 5),
        keep=("messages", 4),
    ),
    "ContextEditing": ContextEditingMiddleware,
    "PII": lambda: PIIMiddleware("email", apply_to_output=True),
    "TodoList": TodoListMiddleware,
}


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize(("answer", "moved"), [(APPROVE, [30]), (REJECT, []), (EDIT, [1])])
@pytest.mark.parametrize("other", OTHERS)
def test_beside(other: str, answer: Any, moved: Any, last: bool, asynchronous: bool) -> None:
    desk = Desk(ESCALATE, lambda text: SCRIPT, others=[OTHERS[other]()], last=last)
    way = WAYS["ainvoke" if asynchronous else "invoke"]
    way(desk.graph, ASK, on("t-1"))
    assert desk.moved == []
    assert len(desk.waiting()) == 1
    way(desk.graph, Command(resume={"decisions": [answer]}), on("t-1"))
    assert desk.moved == moved
    assert is_well_formed(desk.state())
    assert last_words(desk.state()) == "Paid."


def asks(mode: dict[str, Any]) -> HumanInTheLoopMiddleware:
    return HumanInTheLoopMiddleware({"transfer": True}, **mode)


def answered(desk: Desk, decision: Any, *, asynchronous: bool) -> str:
    """Answer the one question that waits; whose it is."""
    (asked,) = desk.graph.get_state(on("t-1")).interrupts
    per_call = asked.value.get("type") == "tool_approval"
    text = str(asked.value)
    answer = decision if per_call else {"decisions": [decision]}
    command: Any = Command(resume={asked.id: answer})
    WAYS["ainvoke" if asynchronous else "invoke"](desk.graph, command, on("t-1"))
    return "gate" if "P(success)" in text else "people"


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("last", [False, True])
def test_both_ask_and_either_can_refuse(
    last: bool, mode: dict[str, Any], asynchronous: bool
) -> None:
    for refuses in ("gate", "people", "nobody"):
        desk = Desk(ESCALATE, others=[asks(mode)], last=last)
        WAYS["ainvoke" if asynchronous else "invoke"](desk.graph, ASK, on("t-1"))
        while desk.waiting():
            asked = str(desk.waiting()[0])
            whose = "gate" if "P(success)" in asked else "people"
            decision = REJECT if whose == refuses else APPROVE
            answered(desk, decision, asynchronous=asynchronous)
        assert desk.moved == ([30] if refuses == "nobody" else [])
        assert is_well_formed(desk.state())


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("last", [False, True])
def test_what_people_change_elsewhere_runs_as_they_say(last: bool, mode: dict[str, Any]) -> None:
    desk = Desk(ESCALATE, others=[asks(mode)], last=last)
    desk.ask()
    while desk.waiting():
        gate = "P(success)" in str(desk.waiting()[0])
        answered(desk, APPROVE if gate else EDIT, asynchronous=False)
    # Older versions write an edit into the message: last in the list, the gate has by then decided
    # about another call, and this one has no decision.
    unknown = last and not PER_CALL
    assert desk.moved == ([] if unknown else [1])
    assert is_well_formed(desk.state())


def test_first_in_the_list_it_does_not_ask_about_what_others_have_refused() -> None:
    desk = Desk(ESCALATE, others=[asks({})])
    desk.ask()
    assert answered(desk, REJECT, asynchronous=False) == "people"
    assert desk.waiting() == []
    desk = Desk(ESCALATE, [calls(PAY, TIP), "Done."], others=[ToolCallLimitMiddleware(run_limit=1)])
    desk.ask()
    (asked,) = desk.waiting()
    assert [one["args"]["amount"] for one in asked["action_requests"]] == [30]
    desk.answer(APPROVE)
    assert desk.moved == [30]


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("behaviour", ["continue", "end"])
def test_what_a_limit_blocks_does_not_run_though_it_was_approved(
    behaviour: Any, last: bool
) -> None:
    limit = ToolCallLimitMiddleware(run_limit=1, exit_behavior=behaviour)
    desk = Desk(ESCALATE, [calls(PAY, TIP), "Done."], others=[limit], last=last)
    desk.ask()
    while asked := desk.waiting():
        desk.answer(*[APPROVE for _ in asked[0]["action_requests"]])
    assert desk.moved == ([30] if behaviour == "continue" else [])
    assert is_well_formed(desk.state())


def test_first_in_the_list_turns_that_are_sent_back_are_counted_by_limits() -> None:
    policy = on_transfer(Verdict.VERIFY, max_checks=99)
    limit = ModelCallLimitMiddleware(run_limit=3)
    desk = Desk(policy, [calls(PAY)] * 9, others=[limit])
    desk.ask()
    assert sum(isinstance(m, AIMessage) for m in desk.state()["messages"]) == 4
    assert "limit" in last_words(desk.state()).lower()
    assert desk.moved == []


tried: list[str] = []


@tool
def wobble(account: str) -> str:
    """Pay, if the line is up."""
    tried.append(account)
    if len(tried) == 1:
        raise TimeoutError("down")
    return f"{account} paid"


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("last", [False, True])
def test_a_call_that_was_approved_once_may_be_retried(last: bool, asynchronous: bool) -> None:
    tried.clear()
    policy = Policy.of(Always(verdict=Verdict.ESCALATE, tools=("wobble",)), mode="enforce")
    retry = ToolRetryMiddleware(initial_delay=0, jitter=False)
    script = [calls(call("wobble", {"account": "bob"})), "Done."]
    desk = Desk(policy, script, others=[retry], last=last, tools=[wobble])
    desk.ask()
    assert tried == []
    resume: Any = Command(resume={"decisions": [APPROVE]})
    WAYS["ainvoke" if asynchronous else "invoke"](desk.graph, resume, on("t-1"))
    assert tried == ["bob", "bob"]
    assert results(desk.state()) == [("success", "bob paid")]


@pytest.mark.parametrize("last", [False, True])
def test_a_reply_that_came_at_the_third_try_is_decided_about_once(last: bool) -> None:
    script = [fails(TimeoutError("down"), times=2, then=calls(PAY)), "Paid."]
    retry = ModelRetryMiddleware(initial_delay=0, jitter=False, max_retries=3)
    desk = Desk(ESCALATE, script, others=[retry], last=last)
    desk.ask()
    assert len(gates(desk.state())) == 1
    desk.answer(APPROVE)
    assert desk.moved == [30]
    assert len(desk.run().steps) == 2


def test_a_tool_that_is_only_played_is_gated_like_a_real_one() -> None:
    emulator = LLMToolEmulator(tools=["transfer"], model=ScriptedChatModel(script=["played"]))
    desk = Desk(ESCALATE, others=[emulator])
    desk.ask()
    desk.answer(APPROVE)
    assert (desk.moved, ("success", "played") in results(desk.state())) == ([], True)


class Shortcut(AgentMiddleware[Any, Any, Any]):
    """Sends the agent to the tools before anybody else has looked at the reply."""

    @hook_config(can_jump_to=["tools"])
    def after_model(self, state: Any, runtime: Any) -> Any:
        return {"jump_to": "tools"} if state["messages"][-1].tool_calls else None


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_short_way_to_the_tools_leads_past_the_question_not_past_the_gate(
    asynchronous: bool,
) -> None:
    desk = Desk(ESCALATE, others=[Shortcut()])
    WAYS["ainvoke" if asynchronous else "invoke"](desk.graph, ASK, on("t-1"))
    assert desk.moved == []
    assert results(desk.state())[-1] == ("error", "Not run: transfer is always held up.")
    (entry,) = [one for one in desk.run().interventions if one.kind == "rejected"]
    assert (entry.by, entry.step) == ("agentcal", 1)


@pytest.mark.parametrize("what", ["no decision", "another call"])
def test_on_the_short_way_nothing_runs_that_nobody_has_decided_on(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any) -> None:
        raise KeyError

    others = [Shortcut(), Swap("after")] if what == "another call" else [Shortcut()]
    desk = Desk(on_transfer(Verdict.PROCEED), others=others)
    if what == "no decision":
        monkeypatch.setattr("agentcal_langchain._judge.gated_turn", broken)
    with contextlib.suppress(KeyError):
        desk.ask()
    assert desk.moved == []
    told = [text for status, text in results(desk.state()) if status == "error"]
    assert set(told) == {"Not run: nothing was decided about this when it was proposed."}


class Swap(AgentMiddleware[Any, Any, Any]):
    """Makes another call of what the model has proposed, after the gate has decided."""

    def __init__(self, where: str) -> None:
        super().__init__()
        self.where = where

    def _swapped(self, message: Any, **more: Any) -> Any:
        made = [{**c, "args": {**c["args"], "amount": 77}} for c in message.tool_calls]
        return message.model_copy(update={"tool_calls": made, **more})

    def after_model(self, state: Any, runtime: Any) -> Any:
        message = state["messages"][-1]
        pays = any(c["name"] == "transfer" for c in message.tool_calls)
        return {"messages": [self._swapped(message)]} if pays and self.where == "after" else None

    def wrap_model_call(self, request: Any, handler: Any) -> Any:
        response = handler(request)
        message = response.result[0]
        if self.where != "around" or not any(c["name"] == "transfer" for c in message.tool_calls):
            return response
        response.result = [self._swapped(message, id="another")]
        return response


@pytest.mark.parametrize("policy", [ESCALATE, on_transfer(Verdict.PROCEED)])
@pytest.mark.parametrize(("where", "last"), [("after", False), ("around", True)])
def test_a_call_that_was_changed_after_the_decision_is_held_up(
    where: str, last: bool, policy: Policy
) -> None:
    desk = Desk(policy, others=[Swap(where)], last=last)
    desk.ask()
    assert desk.moved == []
    (asked,) = desk.waiting()
    (action,) = asked["action_requests"]
    assert action["args"]["amount"] == 77
    assert "nothing was decided about this" in action["description"]
    desk.answer(APPROVE)
    assert desk.moved == [77]


def test_in_shadow_a_call_that_was_changed_runs_as_it_is() -> None:
    desk = Desk(on_transfer(Verdict.ABSTAIN, mode="shadow"), others=[Swap("after")])
    desk.ask()
    assert desk.moved == [77]


def test_the_words_of_an_answer_may_be_redacted_by_others() -> None:
    pii = PIIMiddleware("email", apply_to_output=True)
    desk = Desk(on_answer(Verdict.ESCALATE), ["Write to ann@example.com."], others=[pii])
    desk.ask()
    (asked,) = desk.waiting()
    assert asked["action_requests"][0]["args"]["text"] == "Write to [REDACTED_EMAIL]."
    desk.answer(APPROVE)
    assert last_words(desk.state()) == "Write to [REDACTED_EMAIL]."


def test_two_gates_in_one_agent_both_have_to_agree() -> None:
    from agentcal_langchain import CalibrationMiddleware  # noqa: PLC0415

    other = CalibrationMiddleware(
        Desk(None).watched.calibrator, on_transfer(Verdict.ESCALATE), name="second"
    )
    for refuses in (0, 1, 2):
        desk = Desk(ESCALATE, others=[other])
        desk.ask()
        for number in (0, 1):
            if desk.waiting():
                desk.answer(REJECT if number == refuses else APPROVE)
        assert desk.moved == ([30] if refuses == 2 else [])
        assert is_well_formed(desk.state())


def test_many_agents_at_once_are_gated_one_by_one() -> None:
    desk = Desk(
        ESCALATE, lambda text: [calls(LOOK), calls(PAY if "30" in text else TIP), says("ok")]
    )

    async def one(thread: str) -> None:
        await desk.graph.ainvoke(ASK, on(thread))
        decision = APPROVE if thread == "t-3" else REJECT
        await desk.graph.ainvoke(Command(resume={"decisions": [decision]}), on(thread))

    async def all_of_them() -> None:
        await asyncio.gather(*(one(f"t-{number}") for number in range(8)))

    asyncio.run(all_of_them())
    assert desk.moved == [30]
