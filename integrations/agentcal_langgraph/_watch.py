"""One invocation of a graph, from the start of its root chain to its end."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.outputs import Generation
from langchain_core.tools import BaseTool

from agentcal import Confidence, ToolDeclaration
from agentcal.recorder import Recorder, Review, Run
from agentcal_langgraph._calls import Calls
from agentcal_langgraph._declared import declaration
from agentcal_langgraph._end import reason_of, stops_before_tools
from agentcal_langgraph._facts import model_in, tools_in
from agentcal_langgraph._history import news, system_prompt
from agentcal_langgraph._messages import step_of, steps_of, text_of
from agentcal_langgraph._opening import Invocation, resumed, started
from agentcal_langgraph._people import Decision
from agentcal_langgraph._place import Place
from agentcal_langgraph._request import messages_in, newest_request, request_in
from agentcal_langgraph._results import Result
from agentcal_langgraph._turn import Said, Turn

_REBUILT = "the first turns were not watched; they are read from the messages"


class Who(NamedTuple):
    """The agent and the model of a run, and the kind of its task."""

    agent: str | None = None
    model: str | None = None
    family: str | None = None


class Watch:
    """What is going on in one invocation. Every method may be called from any thread.

    ``ids`` are the chains, tools and models that run in it; ``said``, its turns by the ids of their
    messages; ``sent_back``, those that a gate had checked; ``abstained``, whether a gate has ended
    it. The run is opened when the first of
    them starts: only then a graph has said whether it goes on with what it began earlier.
    """

    def __init__(self, recorder: Recorder, root: UUID, invocation: Invocation) -> None:
        self.recorder, self.root = recorder, root
        self.ids: set[UUID] = {root}
        self.stops = self.abstained = False
        self.said: dict[str, Said] = {}
        self.sent_back: set[str] = set()
        self._invocation = invocation
        self._request = request_in(invocation.given)
        self._calls = Calls()
        self._task: set[str] = set(self._request.parts)
        self._unknown = {"system", "model"}
        self._tools: set[str | None] = set()
        self._declared: set[str] = set()
        self._begun: set[str] = set()
        self._heard: list[Decision] = []
        self._lost = self._retold = False
        self._who = Who()
        self._run: Run | None = None
        self._lock = threading.Lock()

    @property
    def abandoned(self) -> bool:
        """Whether the recorder has given the run up."""
        return self._run is not None and self._run.closed

    def goes_on(self) -> None:
        """The graph says that it continues what it began earlier."""
        self._request = self._request._replace(goes_on=True)

    def open(self) -> Run:
        """The run, resumed or started when it is asked for first."""
        if self._run is None:
            with self._lock:
                if self._run is None:
                    self._run = self._resumed() or self._started()
        return self._run

    def recalled(self, messages: Sequence[BaseMessage]) -> Run:
        """The run; what happened before, where nobody kept it, is read from these messages."""
        run = self.open()
        self._recall(run, messages)
        return run

    @property
    def who(self) -> Who:
        """Who does what, as the record of the run has it; once known, it stays."""
        if self._who.model is None:
            record = self.open().trajectory()
            self._who = Who(record.agent, record.model, record.family)
        return self._who

    def declares(self, tools: Iterable[BaseTool | ToolDeclaration]) -> None:
        """Tools as the program has them, with the hints that no model is shown.

        Told before the model replies, for the tools count in its score.
        """
        new = [tool for tool in tools if tool.name not in self._declared]
        if new:
            shown = [t if isinstance(t, ToolDeclaration) else declaration(t) for t in new]
            self.open().describe(tools=shown, always=self._retold)
            self._declared.update(tool.name for tool in new)

    def starts(self, key: str) -> None:
        """A node or a tool starts; in one invocation that happens again only if it is retried.

        Nothing is remembered from one attempt to the next: subgraphs and ``@task``s start anew.
        """
        if key not in self._begun:
            self._begun.add(key)
            return
        for step in self.open().again(key) or ():
            self._calls.withdrawn(step.tool_calls)

    def asked(
        self,
        place: Place,
        messages: Sequence[BaseMessage],
        params: Mapping[str, Any],
        metadata: Mapping[str, Any],
    ) -> Turn:
        """A model is asked: take from its messages what is not known yet."""
        run = self._goes_on(self.recalled(messages))
        if not self._task:
            self._task_from(run, messages)
        model = model_in(metadata, params)
        self._describe(run, messages, params, model)
        heard = news(messages, self._task, self._calls.waiting)
        self._calls.read(run, heard.results)
        began = time.perf_counter()
        return Turn(self, place.turn(), heard.inputs, place.agent, model, began, place.ns)

    def replied(self, turn: Turn, generation: Generation) -> Confidence | None:
        """The model replied; the confidence at this turn."""
        step = step_of(generation)
        step.inputs = turn.inputs
        step.agent = turn.agent
        step.model = step.model or turn.model
        step.latency_s = time.perf_counter() - turn.asked
        self._calls.proposed(step.tool_calls)
        confidence = self.open().replied(step, key=turn.key)
        self._retold = False
        self._remember(turn, generation, confidence)
        return confidence

    def called(self, name: str, call_id: str) -> str:
        """A tool starts to run; gives the id of its call, empty where no turn proposed it."""
        call_id = call_id or self._calls.claim(name)
        if call_id and not self._lost:
            self._goes_on(self.open()).called(call_id)
        return call_id

    def reviewed(self, review: Review) -> None:
        """Somebody answered when a gate asked: it was the gate that the graph was resumed for."""
        self._heard.clear()
        self.open().reviewed(review)

    def returned(self, call_id: str, result: Result, duration_s: float) -> None:
        """A tool is done."""
        if call_id and not self._lost:
            self._calls.returned(self._goes_on(self.open()), call_id, result, duration_s)

    def ended(self, outputs: Any, *, abstained: bool = False) -> None:
        """The root chain has ended: the run is over, or waits for somebody.

        ``abstained``: a gate has ended it.
        """
        messages = [m for m in messages_in(outputs) if isinstance(m, BaseMessage)]
        run = self._goes_on(self.recalled(messages))
        self._calls.read(run, news(messages, self._task, self._calls.waiting).results)
        if self.stops or stops_before_tools(messages, self._calls.waiting):
            run.interrupted()
        else:
            self._calls.settle(run)
            run.ended("abstained" if abstained or self.abstained else "answered")

    def failed(self, error: BaseException) -> None:
        """The root chain was ended by an exception."""
        if self._run is None and self._request.goes_on:
            return  # there was nothing to go on with
        run, reason = self._goes_on(self.open()), reason_of(error)
        if reason == "interrupted":
            run.interrupted()
            return
        self._calls.settle(run)
        run.ended(reason, error=f"{type(error).__name__}: {error}" if reason == "error" else "")

    def broke(self, doing: str, error: Exception, *, over: bool) -> None:
        """An event is lost, for an error came up. ``over``: the root chain has ended."""
        run = self._run
        if run is None or run.closed:
            self.recorder.failed(doing, error)
            return
        run.failed(doing, error)
        if over:
            run.ended("unknown")

    def _goes_on(self, run: Run) -> Run:
        """Something else than a gate goes on, so what people said was not said to a gate."""
        heard, self._heard = self._heard, []
        for kind, call_id, detail in heard:
            run.intervened(kind, call_id=call_id or None, detail=detail)
        return run

    def _remember(self, turn: Turn, generation: Generation, confidence: Confidence | None) -> None:
        """Under the id that LangChain gives to every message of a chat model."""
        message_id = getattr(getattr(generation, "message", None), "id", None)
        if message_id is None:
            return
        steps = [] if confidence is not None else self.open().trajectory().steps
        number = len(steps) if confidence is None else confidence.turn
        self.said[message_id] = Said(message_id, number, confidence, turn.ns)

    def _resumed(self) -> Run | None:
        found = resumed(self.recorder, self._invocation) if self._request.goes_on else None
        if found is None:
            return None
        run, record, self._heard = found
        self._task |= {record.task, *record.task.split("\n\n")} - {""}
        self._unknown = {name for name in self._unknown if not getattr(record, name)}
        self._tools.update(tool.name for tool in record.tools)
        self._retold = _REBUILT in record.gaps and not (record.tools or record.system)
        for step in record.steps:
            self._calls.proposed(step.tool_calls)
        return run

    def _started(self) -> Run:
        self._lost = self._request.answered or (self._request.goes_on and not self._request.parts)
        return started(self.recorder, self._invocation, self._request)

    def _task_from(self, run: Run, messages: Sequence[BaseMessage]) -> None:
        """The input was no message: what the first model is told is the task."""
        asked = [m for m in newest_request(messages) if isinstance(m, HumanMessage)]
        self._task = {text_of(message.content) for message in asked}
        run.describe(task="\n\n".join(text_of(message.content) for message in asked))

    def _describe(
        self,
        run: Run,
        messages: Sequence[BaseMessage],
        params: Mapping[str, Any],
        model: str | None,
    ) -> None:
        tools = tools_in(params, self._tools)
        self._tools.update(tool.name for tool in tools)
        system = system_prompt(messages) if "system" in self._unknown else ""
        if tools or system or "model" in self._unknown:
            run.describe(system=system, tools=tools, model=model, always=self._retold)
        known = {"system": system, "model": model}
        self._unknown = {name for name in self._unknown if not known[name]}

    def _recall(self, run: Run, messages: Sequence[BaseMessage]) -> None:
        """If nobody here has seen what happened before, the messages tell, as far as they go."""
        if self._lost:
            with self._lock:
                if self._lost:
                    self._rebuild(run, messages)
                    self._lost = False

    def _rebuild(self, run: Run, messages: Sequence[BaseMessage]) -> None:
        history = newest_request(messages)
        if not self._task:
            self._task_from(run, history)
        steps = steps_of(history)
        self._calls.retold(run, steps)
        self._retold = True  # what is told next was there when these turns were taken
        if steps:
            run.describe(model=steps[-1].model)
            run.intervened("resumed")
            run.gap(_REBUILT)
