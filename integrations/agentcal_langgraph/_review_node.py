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
    turns_in,
    update_of,
    words_of,
)
from agentcal_langgraph._inside import read
from agentcal_langgraph._level import Level
from agentcal_langgraph._messages import text_of
from agentcal_langgraph._proposal import request_of
from agentcal_langgraph._review import Answer, as_call
from agentcal_langgraph._task import Part
from agentcal_langgraph._words import HELD_BACK, instead, rejected

_log = logging.getLogger("agentcal.gate")


class ReviewNode(Part):
    """Asks about what waits in one turn, freezes the answers, and sends the graph on its way.

    It is given the id of the message in question, and where the graph goes on after it.

    Nothing is decided in here, so that nothing is decided again when the graph is resumed.
    """

    def __init__(self, level: Level, recorder: Recorder | None, name: str) -> None:
        self.name = name
        self._level, self._recorder = level, recorder

    def _steps(self, value: Any, config: RunnableConfig) -> Steps[Command[Any]]:
        return self._asked(value["message"], value["goto"], config)
        yield  # an interrupt waits for nothing in here

    def _asked(self, message_id: str, goto: Any, config: RunnableConfig) -> Command[Any]:
        state = read(config, [self._level.key, CHANNEL])
        messages = state.get(self._level.key) or []
        place = _place(messages, message_id)
        turn = turns_in(state.get(CHANNEL)).get(message_id)
        if place is None or turn is None or not turn.waits:
            return self._lost(None if place is None else messages[place], goto)
        message = messages[place]
        waiting = _waiting(turn, message)
        if not waiting:
            return self._lost(message, goto)
        answers = ask([(call, decision) for _, call, decision in waiting])
        tell([decision for *_, decision in waiting], answers, config, self._recorder)
        frozen = _answered(turn, waiting, answers)
        request = request_of(messages[:place])
        update: dict[str, Any] = {CHANNEL: update_of(request, message_id, frozen)}
        if not message.tool_calls and answers[0].type != "approve":
            update[self._level.key] = [instead(message, answers[0].message or HELD_BACK)]
        return Command(update=update, goto=goto)

    def _lost(self, message: AIMessage | None, goto: Any) -> Command[Any]:
        """The state was damaged or changed meanwhile: no call runs, and no answer goes out."""
        _log.error("what somebody was to be asked about is not in the state any more")
        if message is None or message.tool_calls:
            return Command(goto=goto)
        return Command(update={self._level.key: [instead(message, HELD_BACK)]}, goto=goto)


_Waiting = tuple[int, ToolCall, Decision]


def _waiting(turn: FrozenTurn, message: AIMessage) -> list[_Waiting]:
    """What is in question, with its place in the turn."""
    if not message.tool_calls:
        return [(0, as_call(text_of(message.content)), turn.decided.decisions[0])]
    return [
        (place, call, turn.decided.decisions[place])
        for place, (call, outcome) in enumerate(
            zip(message.tool_calls, turn.outcomes, strict=False)
        )
        if outcome.fate == "ask" and outcome.words == words_of(call)
    ]


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


def _place(messages: Sequence[BaseMessage], message_id: str) -> int | None:
    places = (i for i, m in enumerate(messages) if isinstance(m, AIMessage) and m.id == message_id)
    return next(places, None)
