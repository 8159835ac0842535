"""What stands directly behind a node that may speak, before its output is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig
from langgraph.types import Command, Send

from agentcal.recorder import Recorder
from agentcal_langgraph._drive import Steps
from agentcal_langgraph._frozen import CHANNEL, Spoken, spoken_update
from agentcal_langgraph._inside import task_of, write
from agentcal_langgraph._said import said_in, watch_in
from agentcal_langgraph._task import Part
from agentcal_langgraph._watch import Watch

Where = str | Send


class Behind(Part):
    """Keeps what a node says itself about where to go on, for the gate that comes next in its task.

    ``gate``: whether one comes. Where none does, for nothing can happen next, it sees to it that
    the score of a reply is not lost if the process changes before a gate is reached. ``holds``: the
    name of the messages, if answers are to be held back.
    """

    def __init__(self, recorder: Recorder | None, *, gate: bool, holds: str | None = None) -> None:
        self.name = "behind"
        self._recorder, self._gate, self._holds = recorder, gate, holds
        self._goto: dict[str, list[Where]] = {}
        self._held: dict[str, AIMessage] = {}

    def _steps(self, value: Any, config: RunnableConfig) -> Steps[Any]:
        if not self._gate:
            remember(watch_in(config, self._recorder), config)
            return value
        ways: list[Where] = []
        answers: list[AIMessage] = []
        output = _without_goto(value, ways)
        if self._holds is not None:
            output = _without_answer(output, self._holds, answers)
        task = task_of(config)
        if ways:
            self._goto[task] = ways
        if answers:
            self._held[task] = answers[-1]
        return output
        yield  # it waits for nothing

    def goto(self, config: RunnableConfig) -> list[Where]:
        """Where the node of this task wants to go on, by a ``Command``; told once."""
        return self._goto.pop(task_of(config), [])

    def held(self, config: RunnableConfig) -> AIMessage | None:
        """The answer that was held back in this task; given once."""
        return self._held.pop(task_of(config), None)


def remember(watch: Watch | None, config: RunnableConfig) -> None:
    """Keep the score of a reply that was made in this task and is not decided about yet."""
    said = None if watch is None else said_in(watch, config)
    if watch is None or said is None:
        return
    kept = Spoken(run_id=watch.open().run_id, turn=said.turn, confidence=said.confidence)
    write(config, {CHANNEL: spoken_update(said.message_id, kept)})


def _without_goto(output: Any, ways: list[Where]) -> Any:
    if isinstance(output, Command):
        if output.graph is not None or not output.goto:
            return output
        goto = output.goto
        ways += [goto] if isinstance(goto, (str, Send)) else list(goto)
        return replace(output, goto=())
    if isinstance(output, (list, tuple)) and any(isinstance(part, Command) for part in output):
        return [_without_goto(part, ways) for part in output]
    return output


def _without_answer(output: Any, key: str, answers: list[AIMessage]) -> Any:
    """The output without the answer at its end, where it is one of the shapes that nodes have."""
    if isinstance(output, Command) and output.graph is None and isinstance(output.update, Mapping):
        return replace(output, update=_without_answer(output.update, key, answers))
    if isinstance(output, (list, tuple)) and any(isinstance(part, Command) for part in output):
        return [_without_answer(part, key, answers) for part in output]
    if not isinstance(output, Mapping) or key not in output:
        return output
    said = output[key] if isinstance(output[key], list) else [output[key]]
    if not said or not isinstance(said[-1], AIMessage) or said[-1].tool_calls:
        return output
    answers.append(said[-1])
    rest = {name: value for name, value in output.items() if name != key}
    return {**rest, key: said[:-1]} if said[:-1] else rest
