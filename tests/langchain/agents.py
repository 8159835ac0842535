"""Agents made by ``create_agent``, their scripts, a calibrator that never says a thing twice."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Sequence
from typing import Any

from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import tool

from agentcal import Confidence, DecisionPoint, TokenLogprobs, Trajectory, Usage
from agentcal.recorder import Recorder
from agentcal.sinks import MemorySink
from agentcal.testing import (
    Ledger,
    ScriptedChatModel,
    broken_call,
    call,
    calls,
    ledger_tools,
    says,
)

PAY = call("transfer", {"source": "alice", "target": "bob", "amount": 30})
LOOK = calls(
    call("get_balance", {"account": "alice"}),
    call("get_balance", {"account": "bob"}),
    text="Let me look.",
    reasoning="first look, then pay",
    usage=Usage(input_tokens=20, output_tokens=9, reasoning_tokens=4),
)
PAYS = calls(PAY, broken_call("verify_ledger", "now, please"))
DONE = says(
    "Paid.",
    logprobs=TokenLogprobs(
        tokens=["Pa", "id", "."],
        logprobs=[-0.25, None, -1.5],
        top=[[-0.25, -2.0], [], [-1.5]],
    ),
)
# Newer versions of HumanInTheLoopMiddleware also ask call by call.
PER_CALL = "interrupt_mode" in inspect.signature(HumanInTheLoopMiddleware).parameters
MODES: list[dict[str, Any]] = [{}, {"interrupt_mode": "per_call"}] if PER_CALL else [{}]
ACCOUNTS = {"alice": 100, "bob": 20, "carol": 7}
SCRIPT = [LOOK, PAYS, DONE]
ASK: Any = {"messages": [HumanMessage("Pay bob 30.")]}


class Counting:
    """In the place of a calibrator: each score is another one, so that scoring twice shows."""

    def __init__(self) -> None:
        self._scores = itertools.count(1)
        self.points: list[DecisionPoint] = []
        self.known: list[dict[str, str | None]] = []

    def predict(self, point: DecisionPoint, **known: str | None) -> Confidence:
        self.points.append(point)
        self.known.append(known)
        value = 1.0 / (1 + next(self._scores))
        return Confidence(value, 0.0, 1.0, 0.1, 0.5, True, point.kind, point.turn, "counting")


class Broken:
    """A calibrator that cannot."""

    def predict(self, point: DecisionPoint, **known: Any) -> Confidence:
        raise RuntimeError("no score today")


class Watched:
    """A recorder with a sink in memory, and a calibrator that counts."""

    def __init__(self, calibrator: Any = None) -> None:
        self.sink = MemorySink()
        self.calibrator = Counting() if calibrator is None else calibrator
        self.recorder = Recorder(self.calibrator, sinks=[self.sink])

    def runs(self) -> list[Trajectory]:
        """All runs, once the recorder is closed."""
        self.recorder.close()
        return list(self.sink.runs)

    def run(self) -> Trajectory:
        """The one run that there is."""
        (run,) = self.runs()
        return run


def agent(
    middleware: Sequence[Any],
    script: Any = None,
    tools: Sequence[Any] | None = None,
    **more: Any,
) -> Any:
    """An agent called "teller" that pays bob."""
    book = Ledger(ACCOUNTS)
    return create_agent(
        ScriptedChatModel(script=SCRIPT if script is None else script),
        list(ledger_tools(book) if tools is None else tools),
        middleware=list(middleware),
        system_prompt="Be brief.",
        name="teller",
        **more,
    )


def on(thread: str, **more: Any) -> RunnableConfig:
    """A configuration with a thread."""
    return {"configurable": {"thread_id": thread}, **more}  # type: ignore[typeddict-item]


def lasting(run: Trajectory) -> dict[str, Any]:
    """The run without ids and times of this execution, and without how its start is known."""
    plain = run.model_dump(exclude={"run_id", "started_at"})
    plain["gaps"] = [gap for gap in run.gaps if "not watched" not in gap]
    for step in plain["steps"]:
        del step["latency_s"]
        for entry in step["tool_calls"]:
            del entry["duration_s"]
    return plain


def turns(state: Any, name: str = "CalibrationMiddleware") -> list[float | None]:
    """The frozen values in an agent's state, oldest first."""
    record = state["agentcal"][name]
    return [None if c is None else c["value"] for c in record["turns"].values()]


@tool
def flaky(account: str) -> str:
    """Look at an account, if it works."""
    flaky_calls.append(account)
    if len(flaky_calls) % 2:
        raise TimeoutError("try again")
    return f"{account} is fine"


flaky_calls: list[str] = []
