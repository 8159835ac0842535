"""Events of LangChain and LangGraph in, calls of the recorder out."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from langchain_core.messages import BaseMessage
from langchain_core.outputs import LLMResult
from langgraph.callbacks import GraphCallbackHandler, GraphInterruptEvent, GraphResumeEvent
from langgraph.errors import GraphBubbleUp, GraphInterrupt

from agentcal import ToolDeclaration
from agentcal.recorder import Recorder
from agentcal_langgraph._end import was_cancelled
from agentcal_langgraph._harmless import harmless
from agentcal_langgraph._open import Open
from agentcal_langgraph._opening import Invocation, Labels
from agentcal_langgraph._results import raised, result_of
from agentcal_langgraph._watch import Watch


class GraphWatcher(GraphCallbackHandler):
    """Watches the graphs that run under it, for as long as it has a recorder."""

    run_inline = True  # in the order of the events; nothing in here waits

    def __init__(self) -> None:
        self.recorder: Recorder | None = None
        self.labels = Labels()
        self.tools: Sequence[ToolDeclaration] = ()
        self._open = Open()

    def watch_at(self, run_id: UUID) -> Watch | None:
        """The watch on the graph in which this chain runs, if this one watches it."""
        return self._open.watch_of(run_id)

    @property
    def ignore_retriever(self) -> bool:
        """What is retrieved reaches the model as a message."""
        return True

    @property
    def ignore_custom_event(self) -> bool:
        """The program's own events are its own."""
        return True

    @harmless
    def on_chain_start(
        self,
        serialized: dict[str, Any] | None,
        inputs: Any,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """A graph, one of its nodes, or a part of one begins."""
        known, name = metadata or {}, kwargs.get("name")
        parent = self._open.places.get(parent_run_id) if parent_run_id else None
        if run_id in self._open.places:
            return  # the same handler twice in one configuration
        if parent is not None:
            parent.watch.open()
            self._open.enter(run_id, parent.child(name, known))
        elif self.recorder is not None and self._begins(parent_run_id, known):
            invocation = Invocation(str(run_id), inputs, name, known, self.labels)
            self._open.begin(self.recorder, run_id, invocation)

    @harmless
    def on_chain_end(self, outputs: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """The chain has ended; with the root, the run has, unless it waits for somebody."""
        place = self._open.leave(run_id)
        if place is not None and run_id == place.watch.root:
            self._open.forget(place.watch)
            place.watch.ended(outputs)

    @harmless
    def on_chain_error(
        self,
        error: BaseException,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        **kwargs: Any,
    ) -> None:
        """The chain raised. An interrupt is how a graph waits, and no failure."""
        place = self._open.leave(run_id)
        if place is None:
            return
        watch = place.watch
        if run_id == watch.root:
            self._open.forget(watch)
            watch.failed(error)
        elif parent_run_id == watch.root and isinstance(error, GraphInterrupt):
            watch.stops = True

    @harmless
    def on_chat_model_start(
        self,
        serialized: dict[str, Any],
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """A chat model is asked."""
        self._ask(run_id, parent_run_id, messages[0] if messages else [], metadata, kwargs)

    @harmless
    def on_llm_start(
        self,
        serialized: dict[str, Any],
        prompts: list[str],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """A completion model is asked."""
        self._ask(run_id, parent_run_id, [], metadata, kwargs)

    @harmless
    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        """The model replied."""
        turn = self._open.hear(run_id)
        if turn is not None and response.generations and response.generations[0]:
            turn.watch.replied(turn, response.generations[0][0])

    @harmless
    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """The model did not reply: no turn. Somebody may try again."""
        self._open.hear(run_id)

    @harmless
    def on_tool_start(
        self,
        serialized: dict[str, Any] | None,
        input_str: str,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        inputs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """A tool starts to run."""
        parent = self._open.places.get(parent_run_id) if parent_run_id else None
        if parent is None or run_id in self._open.places:
            return
        name = kwargs.get("name") or (serialized or {}).get("name") or ""
        call_id = parent.watch.called(name, kwargs.get("tool_call_id") or "")
        self._open.enter(run_id, parent.called(name, call_id))

    @harmless
    def on_tool_end(self, output: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """A tool is done."""
        place = self._open.leave(run_id)
        if place is not None:
            result = result_of(output, place.tool)
            place.watch.returned(place.tool, result, time.perf_counter() - place.started)

    @harmless
    def on_tool_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """A tool raised. One that waits for somebody, or was stopped, has no result yet."""
        place = self._open.leave(run_id)
        if place is not None and not (isinstance(error, GraphBubbleUp) or was_cancelled(error)):
            spent = time.perf_counter() - place.started
            place.watch.returned(place.tool, raised(error), spent)

    @harmless
    def on_interrupt(self, event: GraphInterruptEvent) -> None:
        """The graph waits: for an answer, or at a breakpoint, of which nothing else tells."""
        watch = self._open.watches.get(event.run_id) if event.run_id else None
        if watch is not None:
            watch.stops = True

    @harmless
    def on_resume(self, event: GraphResumeEvent) -> None:
        """The graph goes on from a checkpoint."""
        watch = self._open.watches.get(event.run_id) if event.run_id else None
        if watch is not None:
            watch.goes_on()

    def _begins(self, parent_run_id: UUID | None, metadata: Mapping[str, Any]) -> bool:
        """Whether a chain is the root of a run.

        It is a graph that no graph called; every graph says in its metadata that it is one. With a
        parent it may stand inside a plain chain, or belong to a graph that is not watched.
        """
        inside = parent_run_id is not None and "langgraph_checkpoint_ns" in metadata
        return "ls_integration" in metadata and not inside

    def _ask(
        self,
        run_id: UUID,
        parent_run_id: UUID | None,
        messages: Sequence[BaseMessage],
        metadata: Mapping[str, Any] | None,
        extra: Mapping[str, Any],
    ) -> None:
        parent = self._open.places.get(parent_run_id) if parent_run_id else None
        if parent is not None and run_id not in self._open.turns:
            params = extra.get("invocation_params") or {}
            parent.watch.declares(self.tools)
            self._open.ask(run_id, parent.watch.asked(parent, messages, params, metadata or {}))
