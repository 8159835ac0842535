"""A gate for graphs whose tools run in ordinary functions: a node between the model and them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from langchain_core.messages import ToolCall, ToolMessage
from langchain_core.tools import BaseTool
from langgraph.constants import END, START
from langgraph.graph import MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import Command

from agentcal.policy import AnyPart, BudgetLedger, Gate, Policy
from agentcal.recorder import Recorder
from agentcal_langgraph._behind import Behind
from agentcal_langgraph._declared import declared
from agentcal_langgraph._edge import GateEdge
from agentcal_langgraph._frozen import CHANNEL, GateState
from agentcal_langgraph._keeper import EscalateTo, Keeper, Verifier
from agentcal_langgraph._level import Level
from agentcal_langgraph._parts import Graph
from agentcal_langgraph._past import Past, fate_of
from agentcal_langgraph._proposal import newest_proposal
from agentcal_langgraph._step import GateStep
from agentcal_langgraph._ways import Ways
from agentcal_langgraph._words import ABSTAINED, result_for


class _State(MessagesState, GateState):
    """What the gate shares with the graph around it."""


class AllowedCalls(NamedTuple):
    """``calls`` may run, as a reviewer may have edited them; ``refused`` answers the others."""

    calls: list[ToolCall]
    refused: list[ToolMessage]


def gate_node(
    *,
    policy: Policy | AnyPart,
    model: str,
    tools: Sequence[BaseTool] = (),
    recorder: Recorder | None = None,
    verifier: Verifier | None = None,
    escalate_to: EscalateTo = "human",
    ledger: BudgetLedger | None = None,
    abstain_message: str = ABSTAINED,
) -> Graph:
    """A node that decides about what a model has said, for graphs that run tools in functions.

    ::

        class State(MessagesState, GateState): ...

        builder.add_node("gate", gate_node(policy=policy, model="agent", tools=kit))
        builder.add_edge("agent", "gate")
        builder.add_conditional_edges("gate", tools_condition)

    The function that runs tools asks :func:`allowed_calls` what it may run. The graph has to be
    watched: give it a :class:`CalibrationCallbackHandler`, or use :func:`instrument`.

    Args:
        policy: What to decide by.
        model: The node that asks the model; it is run again to check an answer.
        tools: What the model may call; their hints decide how much harm a call can do.
        recorder: Whose score counts, if several watch the graph.
        verifier: See :func:`calibrated`, as for the others.
        escalate_to: "human", or a stronger model to ask first.
        ledger: Counts the questions of a review budget.
        abstain_message: What the user is told when the gate ends a run.

    Raises:
        ConfigError: ``policy`` is none.
    """
    keeper = Keeper(Gate(policy, ledger=ledger), recorder, verifier, escalate_to, abstain_message)
    builder: Any = StateGraph(_State)
    known = declared(ToolNode(list(tools))) if tools else {}
    level = Level(builder, "messages", frozenset(), frozenset(), known, outermost=True)
    step = level.step("decide")
    builder.add_node("decide", lambda _: None)
    builder.add_node(_AGAIN, _sent_to(model), destinations=())
    builder.add_node(step, GateStep(level, recorder, step), destinations=(END,))
    builder.add_edge(START, "decide")
    ways = Ways(level, "decide", (), (), Behind(recorder, gate=True))
    edge = GateEdge(keeper, ways, speaks=True, again=_AGAIN)
    builder.add_conditional_edges("decide", edge, [END, step, _AGAIN])
    made: Graph = builder.compile(name="gate")
    return made


def allowed_calls(state: Any) -> AllowedCalls:
    """Which of the newest reply's calls may run, and the messages for those that may not.

    ``state`` is what a node is given: it has the messages and what the gate has kept. A call that
    nothing was decided about may not run.
    """
    values = state if isinstance(state, dict) else vars(state)
    proposal = newest_proposal(values.get("messages"))
    calls: list[ToolCall] = []
    refused: list[ToolMessage] = []
    if proposal is None:
        return AllowedCalls(calls, refused)
    past = Past(values.get(CHANNEL))
    for place in sorted(proposal.pending):
        call = proposal.message.tool_calls[place]
        found = fate_of(call, past, proposal.message.id, place)
        outcome = None if found is None else found[0]
        if outcome is None or outcome.fate != "run":
            refused.append(result_for(call, outcome))
        else:
            calls.append(outcome.applied(call))
    return AllowedCalls(calls, refused)


_AGAIN = "again"


def _sent_to(model: str) -> Any:
    def again(state: _State) -> Command[Any]:
        """What a graph has written is lost when it hands over; so it is handed over, too."""
        update = {"messages": state["messages"][-1:], CHANNEL: state["agentcal_gate"]}
        return Command(graph=Command.PARENT, goto=model, update=update)

    return again
