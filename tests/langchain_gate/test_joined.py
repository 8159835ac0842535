"""Where a handler records the run, it gets decisions and reviews, each once."""

from __future__ import annotations

from typing import Any

import pytest
from langgraph.types import Command

from agentcal.policy import Verdict
from agentcal.recorder import QuietObserver, Recorder
from agentcal.sinks import MemorySink
from agentcal.testing import calls
from agentcal_langchain import CalibrationMiddleware
from agentcal_langgraph import CalibrationCallbackHandler
from tests.langchain.agents import ACCOUNTS, agent, on
from tests.langchain_gate.desk import (
    APPROVE,
    ASK,
    EDIT,
    FEW,
    PAY,
    REJECT,
    RESPOND,
    SCRIPT,
    WAYS,
    InMemorySaver,
    Ledger,
    Steady,
    gates,
    ledger_tools,
    on_answer,
    on_transfer,
)


class Heard(QuietObserver):
    def __init__(self) -> None:
        self.decisions: list[Any] = []
        self.reviews: list[Any] = []

    def decided(self, run: Any, decision: Any) -> None:
        self.decisions.append(decision)

    def reviewed(self, run: Any, review: Any) -> None:
        self.reviews.append(review)


class Both:
    """An agent with a gate, watched by a handler."""

    def __init__(self, policy: Any, script: Any = None, *, mine: Any = None) -> None:
        self.sink, self.heard, self.book = MemorySink(), Heard(), Ledger(ACCOUNTS)
        calibrator: Any = None if mine is not None else Steady()
        self.recorder = Recorder(calibrator, sinks=[self.sink], observers=[self.heard])
        gate = CalibrationMiddleware(mine or Steady(0.1), policy)
        self.graph = agent(
            [gate], script or SCRIPT, ledger_tools(self.book), checkpointer=InMemorySaver()
        )

    def ask(self, way: str, given: Any = ASK) -> None:
        handler = CalibrationCallbackHandler(self.recorder)
        WAYS[way](self.graph, given, on("t-1", callbacks=[handler]))

    def run(self) -> Any:
        self.recorder.close()
        (run,) = self.sink.runs
        return run


@pytest.mark.parametrize("way", FEW)
@pytest.mark.parametrize(
    ("answer", "kind"),
    [(APPROVE, "approved"), (REJECT, "rejected"), (RESPOND, "responded"), (EDIT, "edited")],
)
def test_each_is_told_once(answer: Any, kind: str, way: str) -> None:
    both = Both(on_transfer(Verdict.ESCALATE))
    both.ask(way)
    both.ask(way, Command(resume={"decisions": [answer]}))
    run = both.run()
    said = [(one.kind, one.by) for one in run.interventions if one.kind != "resumed"]
    assert said == [(kind, "human")]
    assert [one.verdict for one in both.heard.decisions] == ["proceed", "escalate", "proceed"]
    assert [one.answer for one in both.heard.reviews] == [kind]
    scores = [
        one["decision"]["confidence"]["value"]
        for one in gates(both.graph.get_state(on("t-1")).values)
    ]
    assert scores == [0.7, 0.7, 0.7]  # the handler's
    assert [one.run_id for one in both.heard.decisions] == [run.run_id] * 3
    assert (run.end_reason, len(run.steps)) == ("answered", 3)


@pytest.mark.parametrize("way", FEW)
@pytest.mark.parametrize("policy", [on_transfer(Verdict.ABSTAIN), on_answer(Verdict.ABSTAIN)])
def test_a_run_that_the_gate_ended(policy: Any, way: str) -> None:
    both = Both(policy, [calls(PAY), "Paid."])
    both.ask(way)
    run = both.run()
    assert (run.end_reason, [one.kind for one in run.interventions]) == ("abstained", ["aborted"])
    status = [c.status for step in run.steps for c in step.tool_calls]
    assert status == (["error"] if len(run.steps) == 1 else ["ok"])


@pytest.mark.parametrize("way", FEW)
def test_a_turn_that_was_sent_back(way: str) -> None:
    both = Both(on_transfer(Verdict.VERIFY), [calls(PAY), "Better not."])
    both.ask(way)
    run = both.run()
    assert [(one.kind, one.step, one.by) for one in run.interventions] == [
        ("verified", 0, "agentcal")
    ]
    assert run.steps[0].tool_calls[0].status == "error"


def test_checks_are_counted_when_another_process_records_another_run() -> None:
    both = Both(on_transfer(Verdict.VERIFY), [calls(PAY), calls(PAY), calls(PAY), "Done."])
    both.ask("invoke")
    first = gates(both.graph.get_state(on("t-1")).values)
    assert [one["sent_back"] for one in first] == [True, False]
    both.recorder.close()
    both.recorder = Recorder(Steady())  # type: ignore[arg-type]
    both.ask("invoke", Command(resume={"decisions": [REJECT]}))
    (asked,) = both.graph.get_state(on("t-1")).interrupts
    assert "checked 1 times already" in asked.value["action_requests"][0]["description"]
    found = gates(both.graph.get_state(on("t-1")).values)
    assert len(found) == 3
    assert len({one["decision"]["run_id"] for one in found}) == 2


def test_the_score_of_the_middleware_counts_where_the_handler_has_none() -> None:
    both = Both(on_transfer(Verdict.ESCALATE), mine=Steady(0.4))
    both.ask("invoke")
    (asked,) = both.graph.get_state(on("t-1")).interrupts
    assert "P(success) 0.40" in asked.value["action_requests"][0]["description"]


def test_a_reply_that_the_handler_has_not_heard_of_has_no_score() -> None:
    """One from a cache, for instance: the score of the turn before is not about it."""
    from langchain.agents.middleware import AgentMiddleware  # noqa: PLC0415
    from langchain_core.messages import AIMessage  # noqa: PLC0415

    class Cached(AgentMiddleware[Any, Any, Any]):
        def wrap_model_call(self, request: Any, handler: Any) -> Any:
            if len(request.messages) == 1:
                return handler(request)
            return AIMessage("", tool_calls=[{**PAY, "id": "cached"}])

    both = Both(on_transfer(Verdict.ESCALATE))
    gate = CalibrationMiddleware(Steady(), on_transfer(Verdict.ESCALATE))  # type: ignore[arg-type]
    both.graph = agent(
        [gate, Cached()], SCRIPT, ledger_tools(both.book), checkpointer=InMemorySaver()
    )
    both.ask("invoke")
    (asked,) = both.graph.get_state(on("t-1")).interrupts
    assert "No confidence is available." in asked.value["action_requests"][0]["description"]
