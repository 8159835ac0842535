"""Which run an invocation of a graph belongs to: a new one, or one that was interrupted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from langgraph.types import Command

from agentcal import Trajectory
from agentcal.recorder import Recorder, Run
from agentcal_langgraph._facts import carried
from agentcal_langgraph._people import Decision, decisions_in
from agentcal_langgraph._place import UNNAMED
from agentcal_langgraph._request import Request


class Labels(NamedTuple):
    """What the program says of all its runs: who is running, and what kind of task it is."""

    agent: str | None = None
    group: str | None = None
    family: str | None = None


class Invocation(NamedTuple):
    """What is known of an invocation when its root chain starts."""

    run_id: str
    given: Any
    name: str | None
    metadata: Mapping[str, Any]
    labels: Labels

    @property
    def conversation(self) -> str | None:
        """The thread, if the graph runs on one."""
        thread = self.metadata.get("thread_id")
        return None if thread is None or thread == "" else str(thread)

    @property
    def branches(self) -> bool:
        """Whether it goes back to an earlier checkpoint, and on from there in another way."""
        return self.given is None and bool(self.metadata.get("checkpoint_id"))

    @property
    def agent_name(self) -> str | None:
        """Who runs: as told, or else the name of the graph."""
        named = self.metadata.get("lc_agent_name") or self.name
        return self.labels.agent or (named if named != UNNAMED else None)

    def label(self, name: str) -> str | None:
        """What the metadata of this one call say."""
        value = self.metadata.get(name)
        return value if isinstance(value, str) and value else None


class Resumed(NamedTuple):
    """A run that goes on, what is recorded of it, and what people have said to what it asked."""

    run: Run
    record: Trajectory
    heard: list[Decision]


def resumed(recorder: Recorder, invocation: Invocation) -> Resumed | None:
    """The run that was interrupted in this conversation."""
    conversation = None if invocation.branches else invocation.conversation
    run = None if conversation is None else recorder.resume(conversation)
    if run is None:
        return None
    record = run.trajectory()
    answer = invocation.given.resume if isinstance(invocation.given, Command) else None
    asked = [] if not record.steps else record.steps[-1].tool_calls
    heard = decisions_in(answer, [call for call in asked if call.status == "missing"])
    return Resumed(run, record, heard)


def started(recorder: Recorder, invocation: Invocation, request: Request) -> Run:
    """A run of its own."""
    return recorder.start(
        run_id=invocation.run_id,
        conversation=invocation.conversation,
        task=request.task,
        agent=invocation.agent_name,
        group=invocation.label("agentcal_group") or invocation.labels.group,
        family=invocation.label("agentcal_family") or invocation.labels.family,
        metadata=carried(invocation.metadata),
    )
