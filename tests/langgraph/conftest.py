"""A recorder with a sink in memory, and what of a run must be the same however it was run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.runnables import RunnableConfig

from agentcal import Trajectory
from agentcal.recorder import Recorder
from agentcal.sinks import MemorySink
from agentcal_langgraph import CalibrationCallbackHandler, uninstrument

PASSING = {"run_id", "started_at", "interventions", "conversation"}


class Watched:
    """A recorder and a handler for it."""

    def __init__(self) -> None:
        self.sink = MemorySink()
        self.recorder = Recorder(sinks=[self.sink])
        self.handler = CalibrationCallbackHandler(self.recorder)

    def config(self, thread: str | None = None, **more: Any) -> RunnableConfig:
        """A configuration with the handler, on a thread if one is named."""
        on = {} if thread is None else {"configurable": {"thread_id": thread}}
        return {"callbacks": [self.handler], **on, **more}  # type: ignore[typeddict-item]

    def runs(self) -> list[Trajectory]:
        """All runs that are over, in the order in which they ended. Closes the recorder."""
        self.recorder.close()
        assert self.recorder.stats.errors == 0
        return list(self.sink.runs)

    def run(self) -> Trajectory:
        """The one run that there is."""
        (run,) = self.runs()
        return run


def lasting(run: Trajectory) -> dict[str, Any]:
    """The run without ids and times of this execution, and without what people did to it."""
    plain = run.model_dump(exclude=PASSING)
    for step in plain["steps"]:
        del step["latency_s"]
        for call in step["tool_calls"]:
            del call["duration_s"]
    return plain


@pytest.fixture
def watched() -> Iterator[Watched]:
    one = Watched()
    yield one
    one.recorder.close()


@pytest.fixture(autouse=True)
def _nothing_is_instrumented() -> Iterator[None]:
    yield
    uninstrument()
