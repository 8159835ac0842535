"""The gate itself: an edge behind a node that may speak.

It runs in the task of that node, after the node and before anything that the node leads to. So a
decision is committed together with the reply that it is about, and costs no step of its own.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import RunnableConfig
from langgraph.constants import END
from langgraph.types import Send

from agentcal_langgraph._behind import remember
from agentcal_langgraph._drive import Steps
from agentcal_langgraph._frozen import CHANNEL, update_of, words_said
from agentcal_langgraph._inside import graph_of, task_of, write
from agentcal_langgraph._keeper import Keeper, Moment
from agentcal_langgraph._outputs import one_call
from agentcal_langgraph._past import Past
from agentcal_langgraph._proposal import EDITS, Proposal, newest_proposal, with_reply
from agentcal_langgraph._said import seen_in, watch_in
from agentcal_langgraph._settle import Settled
from agentcal_langgraph._task import Part
from agentcal_langgraph._ways import Ways, Where, name_of
from agentcal_langgraph._words import says_farewell

_log = logging.getLogger("agentcal.gate")


class GateEdge(Part):
    """Decides about what a node has said, and says where the graph goes on.

    ``speaks``: whether the node is one that may speak; else it is a subgraph with gates of its own.
    ``again``: the node that asks the model once more, if it is known.
    """

    def __init__(
        self, keeper: Keeper, ways: Ways, *, speaks: bool, again: str | None = None
    ) -> None:
        self.name = "gate"
        self._keeper, self._ways, self._speaks = keeper, ways, speaks
        self._level, self._again = ways.level, again

    def _steps(self, value: Any, config: RunnableConfig) -> Steps[list[Where]]:
        held = self._ways.behind.held(config)
        ways = yield from self._ways.on(value, config, held)
        state = self._level.state(config, fresh=True)
        messages = [*(state.get(self._level.key) or ()), *([] if held is None else [held])]
        if messages and says_farewell(messages[-1]):
            return []
        past = Past(state.get(CHANNEL))
        proposal = newest_proposal(messages, state.get(EDITS))
        watch = watch_in(config, self._keeper.recorder)
        if proposal is None or not self._concerns(proposal, ways, past):
            self._say(held, config)
            remember(watch, config)
            return ways
        when = Moment(config, past, self._level.declared, watch)
        found = yield from self._decided(proposal, when)
        if found is None:
            self._say(held, config)
            return ways
        self._commit(proposal, found, when)
        if found.reply is not None:  # it may lead elsewhere
            held, proposal = found.reply, with_reply(proposal, found.reply)
            ways = yield from self._ways.on(None, config, held)
        return self._onwards(proposal, found, ways, held, when)

    def _decided(self, proposal: Proposal, when: Moment) -> Steps[Settled | None]:
        """None where that failed and nothing is to be held up; else an error ends the run."""
        try:
            return (yield from self._keeper.decide(proposal, when))
        except Exception as error:
            if self._keeper.gate.policy.mode == "enforce":
                raise
            _log.error("a turn was not decided about, in shadow mode: %s", type(error).__name__)
            return None

    def _say(self, held: AIMessage | None, config: RunnableConfig) -> None:
        """A reply that was held back goes into the state, for there is no more to wait for."""
        if held is not None:
            write(config, {self._level.key: [held]})

    def _concerns(self, proposal: Proposal, ways: Sequence[Where], past: Past) -> bool:
        """Whether something that nobody has decided about is about to happen."""
        known = past.turn(proposal.message.id)
        if known is not None and known.words == words_said(proposal.text, proposal.calls):
            return False
        if any(name_of(way) in self._level.tools for way in ways):
            return bool(proposal.calls)
        leaves = all(way == END for way in ways)
        return leaves and self._speaks and (not proposal.calls or self._level.outermost)

    def _commit(self, proposal: Proposal, found: Settled, when: Moment) -> None:
        message_id = proposal.message.id or ""
        write(when.config, {CHANNEL: update_of(proposal.request, message_id, found.frozen)})
        if when.watch is not None and found.frozen.sent_back:
            when.watch.sent_back.add(message_id)
        if when.watch is not None and found.way == "stop":
            when.watch.abstained = True

    def _onwards(
        self,
        proposal: Proposal,
        found: Settled,
        ways: Sequence[Where],
        held: AIMessage | None,
        when: Moment,
    ) -> list[Where]:
        ways = self._apart(proposal, ways)
        mine: Sequence[BaseMessage] = [] if held is None else [held]
        if found.way == "ask":
            about = {"message": proposal.message.id, "held": held, "goto": list(ways)}
            return [self._step(about)]
        if found.way == "stop":
            said = [*(mine if proposal.calls else ()), *found.messages]
            return [self._step({"say": said, "goto": []})]
        if found.way == "again":
            model = self._again or self._model_node(proposal, when)
            self._say(held, when.config)  # for the model to see, and not as an answer
            return [self._step({"say": list(found.messages), "goto": [model]})]
        return [self._step({"say": mine, "goto": list(ways)})] if mine else list(ways)

    def _apart(self, proposal: Proposal, ways: Sequence[Where]) -> list[Where]:
        """Each call in a task of its own.

        LangGraph matches answers to the interrupts of one task by their order. Did several tools in
        a task ask somebody, side by side, one would get the answer to another.
        """
        found: list[Where] = []
        for way in ways:
            alone = isinstance(way, Send) or way not in self._level.apart
            found += [way] if alone or len(proposal.pending) < 2 else _sends(proposal, way)
        return found

    def _step(self, what: dict[str, Any]) -> Send:
        """What is to be said must not look like input that a stream has shown already."""
        return Send(self._level.step(self._ways.node), {"gate": what})

    def _model_node(self, proposal: Proposal, when: Moment) -> str:
        """Where the model was asked, if that is a node of this graph; else the node that spoke."""
        said = seen_in(when.watch, proposal.message, when.config).said
        if said is not None and graph_of(said.ns) == graph_of(task_of(when.config)):
            name = said.ns.rpartition("|")[2].partition(":")[0]
            if name in self._level.builder.nodes:
                return name
        return self._ways.node


def _sends(proposal: Proposal, node: Where) -> list[Where]:
    return [Send(name_of(node), one_call(proposal, at)) for at in sorted(proposal.pending)]
