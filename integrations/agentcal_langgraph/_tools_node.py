"""A ToolNode in which a call runs only if it was decided that it may."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from typing import Any

from langchain_core.messages import ToolCall
from langchain_core.runnables import RunnableConfig
from langgraph.prebuilt import ToolNode

from agentcal.recorder import Recorder
from agentcal_langgraph._doubt import certain
from agentcal_langgraph._drive import Do, Steps
from agentcal_langgraph._edited import annotated
from agentcal_langgraph._frozen import CHANNEL
from agentcal_langgraph._inside import read
from agentcal_langgraph._journal import Journal, journal_in
from agentcal_langgraph._kept import kept
from agentcal_langgraph._level import Level
from agentcal_langgraph._once import Ticket, once
from agentcal_langgraph._outputs import alone, given, is_ours, joined
from agentcal_langgraph._past import Past, fate_of
from agentcal_langgraph._task import Part, side_by_side
from agentcal_langgraph._words import result_for

_log = logging.getLogger("agentcal.gate")


class GatedTools(Part):
    """Runs the calls whose frozen decision lets them run, each at most once, by the user's node.

    ``enforces``: whether a call without a decision is refused, and calls are kept in a journal.
    """

    def __init__(
        self,
        node: ToolNode,
        level: Level,
        name: str,
        recorder: Recorder | None,
        *,
        enforces: bool,
    ) -> None:
        self.name = self._name = name
        self.node, self._level, self._recorder = node, level, recorder
        self._key, self._enforces = level.key, enforces

    def _steps(self, value: Any, config: RunnableConfig) -> Steps[Any]:
        tickets = self._tickets(value, config)
        if self._runs_freely(tickets):
            alone = self._run(value, tickets[0].call, config) if is_ours(value) else None
            return (yield alone or self._whole(value, config))
        journal = journal_in(config)
        tickets = yield from certain(tickets, journal, config, self._recorder)
        if journal is not None and any(ticket.runs for ticket in tickets):
            yield from kept(config)
        calls = [self._one(value, ticket, journal, config) for ticket in tickets]
        outputs = yield side_by_side(calls, config)
        return joined(outputs, self._key)

    def _whole(self, value: Any, config: RunnableConfig) -> Do:
        return Do(
            partial(self.node.invoke, value, config), partial(self.node.ainvoke, value, config)
        )

    def _tickets(self, value: Any, config: RunnableConfig) -> list[Ticket]:
        asked = given(value, self._key)
        past = Past(read(config, CHANNEL))
        fates = [
            fate_of(call, past, asked.message_id, at)
            for at, call in enumerate(asked.calls, asked.place)
        ]
        return [
            Ticket(call, outcome, decision, self._repeatable(call["name"]))
            for call, fate in zip(asked.calls, fates, strict=True)
            for outcome, decision in [fate or (None, None)]
        ]

    def _repeatable(self, name: str) -> bool:
        """What a name says is a guess, and not enough."""
        tool = self._level.declared.get(name)
        return tool is not None and bool(tool.read_only or tool.idempotent)

    def _runs_freely(self, tickets: Sequence[Ticket]) -> bool:
        """Nothing is enforced now, and nothing was when these calls were decided."""
        free = (t.outcome is None or t.outcome.fate in ("run", "done") for t in tickets)
        return not self._enforces and all(free)

    def _one(
        self, value: Any, ticket: Ticket, journal: Journal | None, config: RunnableConfig
    ) -> Steps[Any]:
        outcome = ticket.outcome
        if outcome is None and not self._enforces:
            return (yield self._run(value, ticket.call, config))
        if outcome is None or not ticket.runs:
            if outcome is None or outcome.fate == "ask":
                _log.error("%s was not run: nothing has decided that it may", ticket.call["name"])
            done = outcome is not None and outcome.fate == "done"
            return {self._key: [] if done else [result_for(ticket.call, outcome)]}
        call = ticket.as_it_runs
        run = self._run(value, call, config)
        output = (yield run) if journal is None else (yield from once(ticket, journal, run))
        return output if outcome.args is None else annotated(output, call, self._key)

    def _run(self, value: Any, call: ToolCall, config: RunnableConfig) -> Do:
        state = partial(self._level.values, self._name, None, config)
        return self._whole(alone(value, call, state), config)
