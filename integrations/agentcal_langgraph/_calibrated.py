"""Putting a gate into a graph."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar, overload

from langgraph.graph.state import CompiledStateGraph

from agentcal import Calibrator, ConfigError
from agentcal.policy import AnyPart, BudgetLedger, Gate, Policy
from agentcal.recorder import Recorder
from agentcal_langgraph._canary import check_langgraph
from agentcal_langgraph._declares import Declares, tools_of
from agentcal_langgraph._gate_handler import GateHandler
from agentcal_langgraph._keeper import EscalateTo, Keeper, Verifier
from agentcal_langgraph._parts import Graph
from agentcal_langgraph._rebuild import Rebuilder
from agentcal_langgraph._refusals import check_asking, check_graph, check_reach
from agentcal_langgraph._words import ABSTAINED

G = TypeVar("G", bound=CompiledStateGraph[Any, Any, Any, Any])
Builds = Callable[..., Any]


@overload
def calibrated(
    graph: G,
    *,
    policy: Policy | AnyPart,
    calibrator: Calibrator | None = None,
    recorder: Recorder | None = None,
    verifier: Verifier | None = None,
    escalate_to: EscalateTo = "human",
    ledger: BudgetLedger | None = None,
    abstain_message: str = ABSTAINED,
    buffer_answer: bool = False,
    subgraph: bool = False,
    answers_only: bool = False,
) -> G: ...


@overload
def calibrated(
    graph: None = None,
    *,
    policy: Policy | AnyPart,
    calibrator: Calibrator | None = None,
    recorder: Recorder | None = None,
    verifier: Verifier | None = None,
    escalate_to: EscalateTo = "human",
    ledger: BudgetLedger | None = None,
    abstain_message: str = ABSTAINED,
    buffer_answer: bool = False,
    subgraph: bool = False,
    answers_only: bool = False,
) -> Callable[[Builds], Builds]: ...


def calibrated(
    graph: Any = None,
    *,
    policy: Policy | AnyPart,
    calibrator: Calibrator | None = None,
    recorder: Recorder | None = None,
    verifier: Verifier | None = None,
    escalate_to: EscalateTo = "human",
    ledger: BudgetLedger | None = None,
    abstain_message: str = ABSTAINED,
    buffer_answer: bool = False,
    subgraph: bool = False,
    answers_only: bool = False,
) -> Any:
    """A graph with a gate behind every node that may speak, and before every tool.

    ::

        graph = calibrated(builder.compile(checkpointer=saver), calibrator=model, policy=policy)

        @calibrated(calibrator=model, policy=policy)
        def make_graph():
            return builder.compile(checkpointer=saver)

    What comes back is a graph like the one that was given, which itself is left alone; graphs that
    are nodes of it have gates as well. Each model turn is scored once; each of its calls, and each
    answer that leaves a graph, is decided once, before it happens; decisions are kept in the
    graph's own state and read back when it is resumed. In mode "shadow", the default of a policy,
    nothing is held up.

    Args:
        graph: Compiled; none to decorate a function, or coroutine function, that gives one.
        policy: What to decide by.
        calibrator: Scores the turns; the runs are not kept. Or:
        recorder: Where the events go; its calibrator scores. With neither, the score is that of a
            handler which watches the graph anyway; see :func:`instrument`.
        verifier: Asked when the verdict is to verify; without one, the model is asked to check.
            Called with the turn and its decisions, sync or async; gives True, or what is wrong.
        escalate_to: "human", or a stronger model to ask first: a function of the messages up to the
            reply and the turn, or a runnable over messages. Its reply replaces the model's and is
            decided anew; if it may not go on either, people are asked.
        ledger: Counts the questions of a :class:`~agentcal.policy.ReviewBudget`.
        abstain_message: What the user is told when the gate ends a run.
        buffer_answer: Keep an answer out of all streams until it is decided: it comes whole then,
            and from a step of its own. What a model says with its calls comes whole, too.
        subgraph: The graph will be a node of another one, whose checkpointer it uses.
        answers_only: No node of this graph runs tools, so that there is nothing to gate but
            answers.

    Raises:
        ConfigError: The graph cannot be gated as the policy wants it; the message says what to do.
    """
    if (calibrator is not None) and (recorder is not None):
        raise ConfigError(
            "calibrated takes a calibrator or a recorder: "
            "to record runs and score them, give the calibrator to the recorder"
        )
    gate = Gate(policy, ledger=ledger)
    used = Recorder(calibrator) if calibrator is not None else recorder
    holds = buffer_answer and gate.policy.mode == "enforce"
    keeper = Keeper(gate, used, verifier, escalate_to, abstain_message, holds)

    def gated(given: Any) -> Graph:
        check_graph(given)
        check_reach(given, gate.policy, answers_only=answers_only)
        check_asking(given, gate.policy, escalate_to, subgraph=subgraph)
        check_langgraph()
        made = Rebuilder(keeper).rebuilt(given)
        watching = [] if used is None else [GateHandler(used)]
        return made.with_config(callbacks=[*watching, Declares([*tools_of(given)])])

    return _decorator(gated) if graph is None else gated(graph)


def _decorator(gated: Callable[[Any], Graph]) -> Callable[[Builds], Builds]:
    def decorate(build: Builds) -> Builds:
        if inspect.iscoroutinefunction(build):

            @functools.wraps(build)
            async def abuilt(*args: Any, **kwargs: Any) -> Graph:
                return gated(await build(*args, **kwargs))

            return abuilt

        @functools.wraps(build)
        def built(*args: Any, **kwargs: Any) -> Graph:
            return gated(build(*args, **kwargs))

        return built

    return decorate
