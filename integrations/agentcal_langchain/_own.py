"""A run that the middleware records itself, in the words of ``agentcal_langgraph``."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from copy import deepcopy
from typing import Any

from langchain.agents.middleware import ModelRequest, ToolCallRequest
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration
from langgraph.errors import GraphBubbleUp, GraphInterrupt

from agentcal import Confidence
from agentcal.policy import TurnDecision
from agentcal.recorder import Review
from agentcal_langchain._edits import was_edited
from agentcal_langchain._harmless import harmless
from agentcal_langchain._open import OpenRun, OpenRuns
from agentcal_langchain._state import RunRecord
from agentcal_langchain._turns import Facts, facts_of
from agentcal_langgraph.building import Place, Scope, Turn, raised, result_of, was_cancelled


class OwnSeat:
    """One hook's view of a run; ``place`` tells agents apart that a tool of the run called."""

    def __init__(
        self, runs: OpenRuns, run: OpenRun, place: str, metadata: Mapping[str, Any]
    ) -> None:
        self._runs, self._run, self._place, self._metadata = runs, run, place, metadata
        self._turn: Turn | None = None
        self._call: str | None = None
        self._over = False
        self._began = time.perf_counter()
        self.record: RunRecord | None = RunRecord(run_id=run.run_id, place=place, turns={})

    @harmless
    def asked(self, request: ModelRequest[Any]) -> None:
        """The model is about to be asked: what it is shown is what has happened since."""
        self._runs.goes_on(self._run)
        messages: list[BaseMessage] = [*request.messages]
        if request.system_message is not None:
            messages.insert(0, request.system_message)
        self._stepped_in(messages)
        params = {"tools": request.tools, "model": _name_of(request.model)}
        self._turn = self._run.watch.asked(self._where(), messages, params, self._metadata)

    @harmless
    def replied(self, messages: Sequence[BaseMessage]) -> Confidence | None:
        """The model replied, with a result at once where the reply is a structured response."""
        reply = next((m for m in messages if isinstance(m, AIMessage)), None)
        if self._turn is None or reply is None:
            return None
        answered = {m.tool_call_id for m in messages if isinstance(m, ToolMessage)}
        fresh = {c["id"]: deepcopy(c) for c in reply.tool_calls if c["id"]}
        self._run.fresh = {i: c for i, c in fresh.items() if i not in answered}
        return self._run.watch.replied(self._turn, ChatGeneration(message=reply))

    @harmless
    def facts(self, message: AIMessage, confidence: Confidence | None) -> Facts | None:
        """As the recorder has the turn."""
        return facts_of(self._run.watch, message, confidence)

    @harmless
    def decided(self, decision: TurnDecision) -> None:
        """What the gate does by itself becomes part of the run."""
        self._run.watch.open().decided(decision)

    @harmless
    def asking(self) -> None:
        """The run waits where any process finds it, unless a tool of another agent is at work."""
        if not self._place and not self._run.busy:
            self._runs.drop(self._run)
            self._run.watch.open().interrupted()

    @harmless
    def reviewed(self, reviews: Sequence[Review]) -> None:
        """What people said becomes part of the run."""
        self._runs.goes_on(self._run)
        for review in reviews:
            self._run.watch.reviewed(review)

    @harmless
    def settled(self, call_ids: Collection[str], why: str = "") -> None:
        """Nobody else has answered these calls."""
        for call_id in call_ids:
            self._run.fresh.pop(call_id, None)
            if why:
                run = self._run.watch.open()
                run.intervened("rejected", call_id=call_id, by="agentcal", detail=why)

    @harmless
    def sent_back(self, message_id: str) -> None:
        """It counts for all agents of the run."""
        self._run.watch.sent_back.add(message_id)

    @harmless
    def called(self, request: ToolCallRequest) -> None:
        """A tool starts to run."""
        self._runs.goes_on(self._run)
        self._began, call = time.perf_counter(), request.tool_call
        proposed = self._run.fresh.pop(call["id"] or "", None)
        self._call = self._run.watch.called(call["name"], call["id"] or "")
        if was_edited(request, proposed):
            self._run.watch.open().intervened("edited", call_id=self._call)

    def at_work(self) -> AbstractContextManager[None]:
        """While the tool runs, agents that it calls find this run."""
        return self._runs.tool(str(self._metadata.get("langgraph_checkpoint_ns")), self._run)

    @harmless
    def returned(self, output: Any) -> None:
        """The tool is done."""
        if self._call is not None:
            result = result_of(output, self._call)
            self._run.watch.returned(self._call, result, time.perf_counter() - self._began)
        self._rest()

    @harmless
    def raised(self, error: BaseException) -> None:
        """The model or the tool raised; an interrupt is how a tool asks somebody."""
        if isinstance(error, GraphInterrupt):
            self._run.waits = True
        elif not isinstance(error, GraphBubbleUp):
            self._runs.failed(self._run, error)
            if self._call is not None and not was_cancelled(error):
                spent = time.perf_counter() - self._began
                self._run.watch.returned(self._call, raised(error), spent)
        self._rest()

    @harmless
    def ended(self, messages: Sequence[BaseMessage], *, abstained: bool = False) -> None:
        """The agent is done; with the outermost one, so is the run."""
        self._over = not self._place
        self._stepped_in(messages)
        if self._over:
            self._runs.drop(self._run)
            self._run.watch.abstained = abstained
            self._run.watch.ended({"messages": [*messages]})

    def _broke(self, doing: str, error: Exception) -> None:
        """The record lacks what happened here, and says so."""
        self._run.watch.broke(doing, error, over=self._over)

    def _rest(self) -> None:
        """With no tool at work or to come, a run that waits goes where any process finds it."""
        run = self._run
        if run.waits and not run.busy and not run.fresh and not self._place:
            self._runs.drop(run)
            run.watch.open().interrupted()

    def _where(self) -> Place:
        """Where the model is asked: the same when a node is run again."""
        known = self._metadata
        key = f"{self._place}/{known.get('langgraph_node')}@{known.get('langgraph_step')}"
        ns = str(known.get("langgraph_checkpoint_ns") or "")
        return Place(self._run.watch, Scope(key), ns, known.get("lc_agent_name"))

    def _stepped_in(self, messages: Sequence[BaseMessage]) -> None:
        """A result for a call whose tool never ran: somebody answered in its place."""
        fresh = self._run.fresh
        for message in reversed(messages) if fresh else ():
            if isinstance(message, AIMessage):
                break
            if isinstance(message, ToolMessage) and message.tool_call_id in fresh:
                del fresh[message.tool_call_id]
                self._run.watch.open().intervened(
                    "rejected" if message.status == "error" else "responded",
                    call_id=message.tool_call_id,
                )


def _name_of(model: Any) -> str | None:
    named = (getattr(model, field, None) for field in ("model_name", "model", "model_id"))
    return next((name for name in named if isinstance(name, str) and name), None)
