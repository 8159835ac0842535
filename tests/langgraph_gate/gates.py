"""A gated graph over a ledger, with a calibrator that says what it is told to say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver

from agentcal import Confidence, Trajectory
from agentcal.policy import Always, CostTarget, Policy, Verdict
from agentcal.recorder import Recorder
from agentcal.sinks import MemorySink
from agentcal.testing import Ledger, ScriptedChatModel, call, calls, ledger_tools, react_graph
from agentcal_langgraph import calibrated

FINGERPRINT = "f" * 16


class Says:
    """A calibrator with a value for each turn; the last one counts for all that follow."""

    fingerprint = FINGERPRINT

    def __init__(self, *values: float) -> None:
        self._values = values or (0.9,)
        self.asked: list[int] = []

    def predict(self, point: Any, **_: Any) -> Confidence:
        self.asked.append(point.turn)
        value = self._values[min(point.turn, len(self._values)) - 1]
        return Confidence(
            value, value, value, 0.1, 0.5, True, point.kind, point.turn, self.fingerprint
        )


def pays(amount: int, call_id: str | None = None) -> Any:
    return call("transfer", {"source": "alice", "target": "bob", "amount": amount}, call_id=call_id)


LOOKS = call("get_balance", {"account": "bob"})


def always(verdict: Verdict | str, *tools: str, **rest: Any) -> Policy:
    """These tools always get this verdict; enforced."""
    rule = Always(verdict=Verdict(verdict), tools=tools or ("transfer",))
    return Policy.of(rule, mode="enforce", **rest)


def about_answers(verdict: Verdict | str, **rest: Any) -> Policy:
    """Answers always get this verdict; enforced."""
    return Policy.of(Always(verdict=Verdict(verdict), tiers=("answer",)), mode="enforce", **rest)


def without_score(verdict: Verdict | str, **rest: Any) -> Policy:
    """What has no score gets this verdict, all else proceeds; enforced."""
    return Policy.of(
        Always(verdict=Verdict.VERIFY, tools=("no_such_tool",)),
        mode="enforce",
        without_score=Verdict(verdict),
        **rest,
    )


class Desk:
    """A graph with a gate, its ledger, and what was recorded."""

    def __init__(
        self,
        policy: Policy,
        script: Any,
        *,
        scores: Sequence[float] = (0.9,),
        build: Callable[..., Any] = react_graph,
        saver: Any = None,
        calibrator: Any = None,
        **gate: Any,
    ) -> None:
        self.ledger, self.sink = Ledger({"alice": 1000, "bob": 20}), MemorySink()
        self.calibrator = Says(*scores) if calibrator is None else calibrator
        self.recorder = Recorder(self.calibrator, sinks=[self.sink])
        self.saver = InMemorySaver() if saver is None else saver
        model = ScriptedChatModel(script=script)
        self.plain = build(model, ledger_tools(self.ledger), checkpointer=self.saver)
        self.graph = calibrated(self.plain, policy=policy, recorder=self.recorder, **gate)

    def config(self, thread: str = "t") -> Any:
        return {"configurable": {"thread_id": thread}}

    def run(self, given: Any = None, thread: str = "t") -> dict[str, Any]:
        asked = {"messages": [("user", "pay bob")]} if given is None else given
        found: dict[str, Any] = self.graph.invoke(asked, self.config(thread))
        return found

    @property
    def paid(self) -> list[int]:
        return [entry.amount for entry in self.ledger.entries]

    def state(self, thread: str = "t") -> dict[str, Any]:
        values: dict[str, Any] = self.graph.get_state(self.config(thread)).values
        return values

    def recorded(self) -> Trajectory:
        """The one run. Closes the recorder."""
        self.recorder.close()
        assert self.recorder.stats.errors == 0
        (run,) = self.sink.runs
        return run


def results(found: dict[str, Any]) -> list[tuple[str, str]]:
    """Text and status of the tools' messages."""
    messages: list[BaseMessage] = found["messages"]
    return [(m.text, m.status) for m in messages if isinstance(m, ToolMessage)]


def last(found: dict[str, Any]) -> str:
    message = found["messages"][-1]
    assert isinstance(message, AIMessage)
    return str(message.text)


def asked_of(found: dict[str, Any]) -> list[dict[str, Any]]:
    """The requests of the one interrupt."""
    (interrupt,) = found["__interrupt__"]
    requests: list[dict[str, Any]] = interrupt.value["action_requests"]
    return requests


__all__ = ["LOOKS", "CostTarget", "Desk", "Says", "calls"]
