"""The node in which people are asked: one interrupt for all that a turn has in question."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, ToolCall
from langchain_core.runnables import RunnableConfig
from langgraph.types import Command

from agentcal.policy import Decision, decision_key
from agentcal.recorder import Recorder
from agentcal_langgraph._asking import ask, tell
from agentcal_langgraph._drive import Steps
from agentcal_langgraph._frozen import (
    CHANNEL,
    FrozenTurn,
    Outcome,
    update_of,
    words_of,
)
from agentcal_langgraph._level import Level
from agentcal_langgraph._messages import text_of
from agentcal_langgraph._past import Past
from agentcal_langgraph._proposal import EDITS, effective, request_of
from agentcal_langgraph._review import Answer, as_call
from agentcal_langgraph._task import Part
from agentcal_langgraph._words import HELD_BACK, instead, rejected

_log = logging.getLogger("agentcal.gate")


class GateStep(Part):
    """A node for what a gate cannot do behind another one: ask people, and speak in a stream.

    It is given what to ``say``, or the id of the ``message`` that is in question (with the message
    itself, if it was ``held`` back), and where the graph goes on. Nothing is decided in here, so
    that nothing is decided again when the graph is resumed.
    """

    def __init__(self, level: Level, recorder: Recorder | None, name: str) -> None:
        self.name = name
        self._level, self._recorder = level, recorder

    def _steps(self, value: Any, config: RunnableConfig) -> Steps[Command[Any]]:
        task = value["gate"]
        if "say" in task:
            return Command(update={self._level.key: task["say"]}, goto=task["goto"])
        return self._review(task["message"], task["held"], task["goto"], config)
        yield  # an interrupt waits for nothing in here

    def _review(
        self, message_id: str, held: AIMessage | None, goto: Any, config: RunnableConfig
    ) -> Command[Any]:
        state = self._level.state(config)
        message, request = _found(state.get(self._level.key) or [], message_id)
        message, turn = held or message, Past(state.get(CHANNEL)).turn(message_id)
        waiting = [] if message is None else _waiting(turn, message, state.get(EDITS))
        if message is None or turn is None or not waiting:
            return self._lost(message, goto)
        answers = ask([(call, decision) for _, call, decision in waiting])
        tell([decision for *_, decision in waiting], answers, config, self._recorder)
        frozen = _answered(turn, waiting, answers)
        update: dict[str, Any] = {CHANNEL: update_of(request, message_id, frozen)}
        if not message.tool_calls and answers[0].type != "approve":
            held = instead(message, answers[0].message or HELD_BACK)
        if held is not None:
            update[self._level.key] = [held]
        return Command(update=update | _edits(waiting, answers, state.get(EDITS)), goto=goto)

    def _lost(self, message: AIMessage | None, goto: Any) -> Command[Any]:
        """The state was damaged or changed meanwhile: no call runs, and no answer goes out."""
        _log.error("what somebody was to be asked about is not in the state any more")
        if message is None or message.tool_calls:
            return Command(goto=goto)
        return Command(update={self._level.key: [instead(message, HELD_BACK)]}, goto=goto)


_Waiting = tuple[int, ToolCall, Decision]


def _waiting(turn: FrozenTurn | None, message: AIMessage, edits: Any) -> list[_Waiting]:
    """What is in question, with its place in the turn."""
    if turn is None or not turn.waits:
        return []
    if not message.tool_calls:
        return [(0, as_call(text_of(message.content)), turn.decided.decisions[0])]
    return [
        (place, effective(call, edits), turn.decided.decisions[place])
        for place, (call, outcome) in enumerate(
            zip(message.tool_calls, turn.outcomes, strict=False)
        )
        if outcome.fate == "ask" and outcome.words == words_of(call)
    ]


def _edits(waiting: Sequence[_Waiting], answers: Sequence[Answer], edits: Any) -> dict[str, Any]:
    """A call that is edited here: what LangChain's reviewer made of it would undo that."""
    asked = zip(waiting, answers, strict=True)
    edited = {call["id"] for (_, call, _), answer in asked if answer.type == "edit"}
    known = edits if isinstance(edits, dict) else {}
    left = {call_id: edit for call_id, edit in known.items() if call_id not in edited}
    return {EDITS: left} if len(left) < len(known) else {}


def _answered(
    turn: FrozenTurn, waiting: Sequence[_Waiting], answers: Sequence[Answer]
) -> FrozenTurn:
    outcomes = list(turn.outcomes)
    for (place, call, _), answer in zip(waiting, answers, strict=True):
        if outcomes:
            outcomes[place] = _fate(turn, place, call, answer)
    return turn.model_copy(update={"outcomes": tuple(outcomes), "waits": False})


def _fate(turn: FrozenTurn, place: int, call: ToolCall, answer: Answer) -> Outcome:
    asked = turn.outcomes[place]
    if answer.type == "approve":
        return asked.model_copy(update={"fate": "run"})
    if answer.type == "edit":
        run = turn.decided
        key = decision_key(run.run_id, run.turn, place, answer.name, answer.args)
        edited = {"fate": "run", "key": key, "tool": answer.name, "args": answer.args}
        return asked.model_copy(update=edited)
    if answer.type == "respond":
        return asked.model_copy(update={"fate": "respond", "say": answer.message})
    return asked.model_copy(update={"fate": "refuse", "say": rejected(answer)})


def _found(messages: Sequence[BaseMessage], message_id: str) -> tuple[AIMessage | None, str]:
    """The message, and the request that it belongs to."""
    for place, message in enumerate(messages):
        if isinstance(message, AIMessage) and message.id == message_id:
            return message, request_of(messages[:place])
    return None, request_of(messages)
