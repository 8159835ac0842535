"""The gate in graphs of every shape that people build."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware, HumanInTheLoopMiddleware, hook_config
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langchain_core.tools import InjectedToolCallId, tool
from langgraph.cache.memory import InMemoryCache
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import InjectedState, ToolNode, tools_condition
from langgraph.types import CachePolicy, Command, Send
from pydantic import BaseModel
from typing_extensions import TypedDict

from agentcal.policy import Verdict
from agentcal.testing import (
    ScriptedChatModel,
    call,
    calls,
    handoff_graph,
    nested_graph,
    react_graph,
)
from agentcal_langgraph import decisions_in
from tests.langgraph_gate.gates import (
    LOOKS,
    Desk,
    about_answers,
    always,
    asked_of,
    last,
    pays,
    results,
)

APPROVE, REJECT = {"type": "approve"}, {"type": "reject"}
TWO = calls(pays(5), pays(7), LOOKS)


def answer(*decisions: Any) -> Command[Any]:
    return Command(resume={"decisions": list(decisions)})


def prebuilt(model: Any, tools: Any, **rest: Any) -> Any:
    return create_agent(model, tools, **rest)


def _loop(state: Any, key: str = "messages") -> Callable[..., Any]:
    """A graph over a state of this type."""

    def build(model: Any, tools: Any, *, checkpointer: Any) -> Any:
        bound = model.bind_tools(tools)

        def agent(given: Any) -> dict[str, Any]:
            known = given[key] if isinstance(given, dict) else getattr(given, key)
            return {key: [bound.invoke(known)]}

        builder = StateGraph(state)
        builder.add_node("agent", agent)
        builder.add_node("tools", ToolNode(tools, messages_key=key))
        builder.add_edge(START, "agent")
        builder.add_conditional_edges(
            "agent", lambda s: tools_condition(s, messages_key=key), ["tools", END]
        )
        builder.add_edge("tools", "agent")
        return builder.compile(checkpointer=checkpointer)

    return build


class Modelled(BaseModel):
    messages: Annotated[list[AnyMessage], add_messages]


@dataclass
class Classed:
    messages: Annotated[list[AnyMessage], add_messages] = field(default_factory=list)


class Renamed(TypedDict):
    talk: Annotated[list[AnyMessage], add_messages]


SHAPES = {
    "hand-built": react_graph,
    "create_agent": prebuilt,
    "pydantic": _loop(Modelled),
    "dataclass": _loop(Classed),
    "typed dict": _loop(MessagesState),
}


@pytest.mark.parametrize("build", SHAPES.values(), ids=SHAPES)
def test_only_what_is_approved_runs(build: Any) -> None:
    desk = Desk(always("escalate"), [TWO, "done"], build=build)
    assert [r["args"]["amount"] for r in asked_of(desk.run())] == [5, 7]
    found = desk.run(answer(APPROVE, REJECT))
    assert desk.paid == [5]
    assert [status for _, status in results(found)] == ["success", "error", "success"]
    assert last(found) == "done"


@pytest.mark.parametrize("build", SHAPES.values(), ids=SHAPES)
def test_the_gate_ends_a_run(build: Any) -> None:
    desk = Desk(always("abstain"), [TWO, "done"], build=build)
    found = desk.run()
    assert desk.paid == []
    assert "not sure enough" in last(found)
    assert desk.recorded().end_reason == "abstained"


@pytest.mark.parametrize("build", SHAPES.values(), ids=SHAPES)
def test_the_model_is_asked_to_check(build: Any) -> None:
    desk = Desk(always("verify"), [TWO, "done"], build=build)
    found = desk.run()
    assert desk.paid == []
    assert [status for _, status in results(found)] == ["error", "error", "success"]
    assert last(found) == "done"


@pytest.mark.parametrize("build", [react_graph, prebuilt])
def test_an_answer_is_checked(build: Any) -> None:
    def script(text: str) -> list[Any]:
        return ["checked" if text.startswith("Your answer") else "a guess"]

    desk = Desk(about_answers("verify", after_checks="abstain"), script, build=build)
    found = desk.run()
    assert [type(m) for m in found["messages"]] == [HumanMessage, AIMessage] * 2
    assert "not sure enough" in last(found)


def test_messages_under_another_name() -> None:
    desk = Desk(always("escalate"), [TWO, "done"], build=_loop(Renamed, "talk"))
    desk.run({"talk": [("user", "pay")]})
    found = desk.run(answer(APPROVE, REJECT))
    assert desk.paid == [5]
    assert [m.status for m in found["talk"] if isinstance(m, ToolMessage)].count("error") == 1


def test_a_subgraph_is_reached() -> None:
    script = ["a plan", TWO, "worked", "reviewed"]
    desk = Desk(always("escalate"), script, build=nested_graph)
    assert len(asked_of(desk.run())) == 2
    inner = desk.graph.get_state(desk.config(), subgraphs=True).tasks[0].state
    assert [d.verdict for d in decisions_in(inner.values)] == ["escalate"]
    found = desk.run(answer(REJECT, APPROVE))
    assert desk.paid == [7]
    assert last(found) == "reviewed"
    kinds = [(i.step, i.kind) for i in desk.recorded().interventions]
    assert kinds == [(1, "resumed"), (1, "rejected"), (1, "approved")]


def test_where_a_subgraph_abstains_the_whole_run_ends() -> None:
    script = ["a plan", TWO, "worked", "reviewed"]
    desk = Desk(always("abstain"), script, build=nested_graph)
    found = desk.run()
    assert "not sure enough" in last(found)
    run = desk.recorded()
    assert (run.end_reason, len(run.steps)) == ("abstained", 2)


def test_a_subgraph_two_levels_down_and_inside_a_sequence() -> None:
    def build(model: Any, tools: Any, *, checkpointer: Any) -> Any:
        inmost = react_graph(model, tools)
        middle = StateGraph(MessagesState)
        middle.add_node("inmost", (lambda s: {"messages": s["messages"]}) | _runnable(inmost))
        middle.add_edge(START, "inmost")
        outer = StateGraph(MessagesState)
        outer.add_node("middle", middle.compile())
        outer.add_edge(START, "middle")
        return outer.compile(checkpointer=checkpointer)

    desk = Desk(always("escalate"), [TWO, "done"], build=build)
    assert len(asked_of(desk.run())) == 2
    desk.run(answer(REJECT, REJECT))
    assert desk.paid == []


def _runnable(graph: Any) -> Any:
    return graph.with_config(tags=["inner"])


def test_hand_offs_between_subgraphs() -> None:
    front = ScriptedChatModel(script=[calls(call("transfer_to_specialist"))])

    def build(model: Any, tools: Any, *, checkpointer: Any) -> Any:
        return handoff_graph(front, model, tools, checkpointer=checkpointer)

    desk = Desk(always("escalate", "transfer_to_specialist"), ["no", TWO, "well"], build=build)
    assert asked_of(desk.run())[0]["name"] == "transfer_to_specialist"
    assert last(desk.run(answer(APPROVE))) == "well"
    assert sorted(desk.paid) == [5, 7]


def test_a_node_that_says_itself_where_to_go_on() -> None:
    def build(model: Any, tools: Any, *, checkpointer: Any) -> Any:
        bound = model.bind_tools(tools)

        def agent(state: MessagesState) -> Command[Literal["tools", "__end__"]]:
            reply = bound.invoke(state["messages"])
            goto = "tools" if reply.tool_calls else END
            return Command(update={"messages": [reply]}, goto=goto)

        builder = StateGraph(MessagesState)
        builder.add_node("agent", agent)
        builder.add_node("tools", ToolNode(tools))
        builder.add_edge(START, "agent")
        builder.add_edge("tools", "agent")
        return builder.compile(checkpointer=checkpointer)

    desk = Desk(always("escalate"), [TWO, "done"], build=build)
    assert len(asked_of(desk.run())) == 2
    assert last(desk.run(answer(APPROVE, REJECT))) == "done"
    assert desk.paid == [5]


def test_calls_sent_one_by_one_by_the_graph_itself() -> None:
    def build(model: Any, tools: Any, *, checkpointer: Any) -> Any:
        bound = model.bind_tools(tools)

        def spread(state: MessagesState) -> Any:
            reply: Any = state["messages"][-1]
            return [Send("tools", [c]) for c in reply.tool_calls] or END

        builder = StateGraph(MessagesState)
        builder.add_node("agent", lambda s: {"messages": [bound.invoke(s["messages"])]})
        builder.add_node("tools", ToolNode(tools))
        builder.add_edge(START, "agent")
        builder.add_conditional_edges("agent", spread, ["tools", END])
        builder.add_edge("tools", "agent")
        return builder.compile(checkpointer=checkpointer)

    desk = Desk(always("escalate"), [TWO, "done"], build=build)
    assert len(asked_of(desk.run())) == 2
    desk.run(answer(REJECT, APPROVE))
    assert desk.paid == [7]


def test_many_agents_at_once_each_with_an_interrupt_of_its_own() -> None:
    class Parts(TypedDict):
        found: Annotated[list[str], operator.add]

    def build(model: Any, tools: Any, *, checkpointer: Any) -> Any:
        builder = StateGraph(Parts)
        worker = react_graph(model, tools, name="worker")
        builder.add_node("worker", worker | (lambda s: {"found": [s["messages"][-1].text]}))
        builder.add_conditional_edges(
            START,
            lambda _: [Send("worker", {"messages": [("user", f"part {n}")]}) for n in (1, 2, 3)],
            ["worker"],
        )
        return builder.compile(checkpointer=checkpointer)

    def script(text: str) -> list[Any]:
        n = int(text[-1])
        return [calls(pays(n, f"c{n}")), f"did {n}"]

    desk = Desk(always("escalate"), script, build=build)
    found = desk.run({"found": []})
    asked = {i.id: i.value["action_requests"][0]["args"]["amount"] for i in found["__interrupt__"]}
    assert sorted(asked.values()) == [1, 2, 3]
    decided = {i: {"decisions": [REJECT if n == 2 else APPROVE]} for i, n in asked.items()}
    found = desk.run(Command(resume=decided))
    assert sorted(desk.paid) == [1, 3]
    assert sorted(found["found"]) == ["did 1", "did 2", "did 3"]


def test_tools_at_the_very_beginning() -> None:
    def build(model: Any, tools: Any, *, checkpointer: Any) -> Any:
        builder = StateGraph(MessagesState)
        builder.add_node("tools", ToolNode(tools))
        builder.add_edge(START, "tools")
        return builder.compile(checkpointer=checkpointer)

    desk = Desk(always("escalate"), [], build=build)
    proposed = AIMessage("", tool_calls=[pays(5, "a"), pays(7, "b")])
    assert "No confidence" in asked_of(desk.run({"messages": [proposed]}))[0]["description"]
    desk.run(answer(APPROVE, REJECT))
    assert desk.paid == [5]


def test_a_call_that_the_graph_itself_has_answered_does_not_run() -> None:
    def build(model: Any, tools: Any, *, checkpointer: Any) -> Any:
        bound = model.bind_tools(tools)

        def refuses(state: MessagesState) -> dict[str, Any]:
            reply: Any = state["messages"][-1]
            first = reply.tool_calls[0]["id"] if reply.tool_calls else None
            return {"messages": [ToolMessage("no", tool_call_id=first)] if first else []}

        def calls_left(state: MessagesState) -> str:
            return "tools" if isinstance(state["messages"][-1], ToolMessage) else END

        builder = StateGraph(MessagesState)
        builder.add_node("agent", lambda s: {"messages": [bound.invoke(s["messages"])]})
        builder.add_node("refuses", refuses)
        builder.add_node("tools", ToolNode(tools))
        builder.add_edge(START, "agent")
        builder.add_edge("agent", "refuses")
        builder.add_conditional_edges("refuses", calls_left, ["tools", END])
        builder.add_conditional_edges("tools", lambda _: "agent", ["agent"])
        return builder.compile(checkpointer=checkpointer)

    desk = Desk(always("escalate", "none"), [calls(pays(5), pays(7)), "done"], build=build)
    assert last(desk.run()) == "done"
    assert desk.paid == [7]


def test_a_reply_from_a_cache_is_not_let_through_with_the_decision_about_another_run() -> None:
    def build(model: Any, tools: Any, *, checkpointer: Any) -> Any:
        bound = model.bind_tools(tools)
        cached = CachePolicy(key_func=lambda state: state["messages"][-1].text)
        builder = StateGraph(MessagesState)
        builder.add_node(
            "agent", lambda s: {"messages": [bound.invoke(s["messages"])]}, cache_policy=cached
        )
        builder.add_node("tools", ToolNode(tools))
        builder.add_edge(START, "agent")
        builder.add_conditional_edges("agent", tools_condition)
        builder.add_edge("tools", "agent")
        return builder.compile(checkpointer=checkpointer, cache=InMemoryCache())

    desk = Desk(always("escalate"), [calls(pays(5)), "done"], build=build)
    for thread in ("a", "b"):
        assert len(asked_of(desk.run(thread=thread))) == 1
    keys = {decisions_in(desk.state(thread))[0].decisions[0].key for thread in ("a", "b")}
    assert len(keys) == 2


def test_two_tool_nodes_and_a_branch_behind_one_of_them() -> None:
    @tool
    def look(account: str) -> str:
        """Look."""
        return f"{account} is fine"

    def build(model: Any, tools: Any, *, checkpointer: Any) -> Any:
        bound = model.bind_tools([*tools, look])

        def which(state: MessagesState) -> str:
            reply: Any = state["messages"][-1]
            if not reply.tool_calls:
                return END
            return "reads" if reply.tool_calls[0]["name"] == "look" else "writes"

        builder = StateGraph(MessagesState)
        builder.add_node("agent", lambda s: {"messages": [bound.invoke(s["messages"])]})
        builder.add_node("reads", ToolNode([look]))
        builder.add_node("writes", ToolNode(tools))
        builder.add_edge(START, "agent")
        builder.add_conditional_edges("agent", which, ["reads", "writes", END])
        builder.add_conditional_edges("writes", lambda s: "agent", ["agent"])
        builder.add_edge("reads", "agent")
        return builder.compile(checkpointer=checkpointer)

    both = calls(call("look", {"account": "a"}), call("look", {"account": "b"}))
    desk = Desk(always("escalate"), [both, TWO, "done"], build=build)
    assert len(asked_of(desk.run())) == 2
    found = desk.run(answer(APPROVE, REJECT))
    assert desk.paid == [5]
    assert [t for t, _ in results(found)][:2] == ["a is fine", "b is fine"]


@tool
def seen(
    state: Annotated[Any, InjectedState],
    tool_call_id: Annotated[str, InjectedToolCallId],
) -> str:
    """Say what the state is."""
    known = state["messages"] if isinstance(state, dict) else state.messages
    return f"{type(state).__name__} {len(known)} {tool_call_id}"


@pytest.mark.parametrize(("build", "kind"), [(react_graph, "dict"), (_loop(Modelled), "Modelled")])
def test_tools_are_given_the_state_that_they_were_given_before(build: Any, kind: str) -> None:
    proposed = calls(call("seen", call_id="x"), call("seen", call_id="y"))

    def with_seen(model: Any, tools: Any, *, checkpointer: Any) -> Any:
        return build(model, [*tools, seen], checkpointer=checkpointer)

    desk = Desk(always("escalate"), [proposed, "done"], build=with_seen)
    expected = [(f"{kind} 2 x", "success"), (f"{kind} 2 y", "success")]
    assert results(desk.run()) == expected
    assert results(desk.plain.invoke({"messages": [("user", "hi")]}, desk.config("2"))) == expected


def test_beside_the_reviewer_of_langchain_the_score_is_kept_and_the_edit_is_what_is_asked() -> None:
    def build(model: Any, tools: Any, *, checkpointer: Any) -> Any:
        hitl = HumanInTheLoopMiddleware({"transfer": True})
        return create_agent(model, tools, middleware=[hitl], checkpointer=checkpointer)

    desk = Desk(always("escalate"), [TWO, "done"], build=build)
    desk.run()
    args = {"source": "alice", "target": "bob", "amount": 50}
    edit = {"type": "edit", "edited_action": {"name": "transfer", "args": args}}
    (asked,) = asked_of(desk.run(answer(edit, REJECT)))
    assert asked["args"]["amount"] == 50
    assert "0.90" in asked["description"]
    desk.run(answer(APPROVE))
    assert desk.paid == [50]


def test_an_edit_here_is_the_last_word_on_an_edit_there() -> None:
    def build(model: Any, tools: Any, *, checkpointer: Any) -> Any:
        hitl = HumanInTheLoopMiddleware({"transfer": True})
        return create_agent(model, tools, middleware=[hitl], checkpointer=checkpointer)

    def edit(amount: int) -> dict[str, Any]:
        args = {"source": "alice", "target": "bob", "amount": amount}
        return {"type": "edit", "edited_action": {"name": "transfer", "args": args}}

    desk = Desk(always("escalate"), [calls(pays(5)), "done"], build=build)
    desk.run()
    desk.run(answer(edit(50)))
    desk.run(answer(edit(3)))
    assert desk.paid == [3]


def test_middleware_that_looks_at_the_reply_first() -> None:
    class Looks(AgentMiddleware[Any, Any, Any]):
        @hook_config(can_jump_to=["end"])
        def after_model(self, state: Any, runtime: Any) -> None:
            return None

        def after_agent(self, state: Any, runtime: Any) -> None:
            return None

    def build(model: Any, tools: Any, *, checkpointer: Any) -> Any:
        return create_agent(model, tools, middleware=[Looks()], checkpointer=checkpointer)

    def script(text: str) -> list[Any]:
        return ["checked"] if text.startswith("Your answer") else [calls(LOOKS), "a guess"]

    policy = about_answers("verify", after_checks=Verdict.ABSTAIN)
    desk = Desk(policy, script, build=build)
    found = desk.run()
    assert [m.text for m in found["messages"] if isinstance(m, HumanMessage)][1].startswith("Your")
    assert "not sure enough" in last(found)
    assert [d.confidence is not None for d in decisions_in(desk.state())] == [True] * 3


def test_what_a_node_rewrites_has_the_score_of_its_turn() -> None:
    def build(model: Any, tools: Any, *, checkpointer: Any) -> Any:
        bound = model.bind_tools(tools)

        def agent(state: MessagesState) -> dict[str, Any]:
            reply = bound.invoke(state["messages"])
            return {"messages": [AIMessage(f"({reply.text})", tool_calls=reply.tool_calls)]}

        builder = StateGraph(MessagesState)
        builder.add_node("agent", agent)
        builder.add_node("tools", ToolNode(tools))
        builder.add_edge(START, "agent")
        builder.add_conditional_edges("agent", tools_condition)
        builder.add_edge("tools", "agent")
        return builder.compile(checkpointer=checkpointer)

    desk = Desk(always("escalate"), [calls(pays(5)), "done"], build=build, scores=(0.4, 0.6))
    assert "0.40" in asked_of(desk.run())[0]["description"]
    found = desk.run(answer(APPROVE))
    assert last(found) == "(done)"
    scores = [d.confidence.value for d in decisions_in(desk.state()) if d.confidence]
    assert scores == [0.4, 0.6]


def test_a_graph_that_only_talks() -> None:
    def build(model: Any, tools: Any, *, checkpointer: Any) -> Any:
        builder = StateGraph(MessagesState)
        builder.add_node("agent", lambda s: {"messages": [model.invoke(s["messages"])]})
        builder.add_edge(START, "agent")
        return builder.compile(checkpointer=checkpointer)

    desk = Desk(about_answers("escalate"), ["hello"], build=build, answers_only=True)
    assert asked_of(desk.run())[0]["name"] == "answer"
    assert last(desk.run(answer(APPROVE))) == "hello"


def test_a_second_request_on_the_same_thread_is_decided_anew() -> None:
    desk = Desk(always("escalate"), lambda text: [calls(pays(len(text))), "done"])
    for text in ("pay", "again"):
        assert len(asked_of(desk.run({"messages": [("user", text)]}))) == 1
        assert len(decisions_in(desk.state())) == 1
        desk.run(answer(APPROVE))
    assert desk.paid == [3, 5]
