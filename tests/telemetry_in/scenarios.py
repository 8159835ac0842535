"""Real LangGraph agents with a scripted model: each scenario is a request or two."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_core.tools import BaseTool, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command, RetryPolicy, interrupt

from agentcal.testing import (
    ScriptedChatModel,
    approval_graph,
    broken_call,
    call,
    calls,
    handoff_graph,
    ledger_tools,
    nested_graph,
    react_graph,
    says,
)
from agentcal.trajectory import TokenLogprobs, Usage
from tests.telemetry_in.matrix import SCENARIOS as NAMES

LOGPROBS = TokenLogprobs(tokens=["a", "b"], logprobs=[-0.1, -0.7], top=[[-0.1, -2.5], [-0.7, -0.9]])
USED = Usage(input_tokens=11, output_tokens=5, reasoning_tokens=2)
PAY = call("transfer", {"source": "alice", "target": "bob", "amount": 5}, call_id="pay")
LOOK = call("get_balance", {"account": "bob"}, call_id="look")
BALANCE = "bob holds 20"


def model(*script: Any, agent: str | None = None) -> ScriptedChatModel:
    return ScriptedChatModel(script=list(script), model_name="scripted-1", agent=agent)


def ask(graph: Any, text: str, thread: str) -> None:
    graph.invoke({"messages": [("user", text)]}, _on(thread))


def resume(graph: Any, answer: Any, thread: str) -> None:
    graph.invoke(Command(resume=answer), _on(thread))


def _on(thread: str) -> Any:
    return {"configurable": {"thread_id": thread}}


def rich(thread: str) -> None:
    """All that a turn can hold; two calls at once; a tool that fails."""
    first = calls(
        LOOK,
        call("get_balance", {"account": "zed"}, call_id="odd"),
        text="Let me look.",
        logprobs=LOGPROBS,
        usage=USED,
        reasoning="I need the balance.",
    )
    last = says("Bob holds 20; there is no zed.", logprobs=LOGPROBS, usage=USED)
    graph = react_graph(model(first, calls(PAY, usage=USED), last), name="payer")
    system = ("system", "You are a careful clerk.")
    messages = [system, ("user", "Pay bob what he is owed, and look at zed.")]
    graph.invoke({"messages": messages}, _on(thread))


def created(thread: str) -> None:
    """``create_agent``: a system prompt, no call ids of the provider, an unknown tool."""
    unknown = calls(call("get_weather", {"city": "Rome"}), usage=USED)
    agent = create_agent(
        model(unknown, calls(call("verify_ledger")), "All is well."),
        ledger_tools(),
        system_prompt="You check ledgers.",
        name="checker",
        checkpointer=InMemorySaver(),
    )
    ask(agent, "Check the books.", thread)


def broken(thread: str) -> None:
    """A call whose arguments do not parse."""
    graph = react_graph(model(calls(broken_call("get_balance", '{"account": '), text="hm")))
    ask(graph, "What does bob hold?", thread)


def raises(thread: str) -> None:
    """A tool raises, and nobody catches it."""
    agent = create_agent(model(calls(PAY)), [_raising()], name="payer")
    try:
        ask(agent, "Pay bob.", thread)
    except ConnectionError:
        return
    raise AssertionError("the error should have come through")


def _raising() -> BaseTool:
    @tool
    def transfer(source: str, target: str, amount: int) -> str:
        """Move money."""
        raise ConnectionError("the bank is closed")

    return transfer


def two_requests(thread: str) -> None:
    """The same conversation, another request: another run, with the first one in its history."""
    graph = react_graph(
        ScriptedChatModel(
            script=lambda text: {"Thanks": ["Welcome."]}.get(text, [calls(LOOK), BALANCE])
        ),
        checkpointer=InMemorySaver(),
    )
    ask(graph, "What does bob hold?", thread)
    ask(graph, "Thanks", thread)


def approved(thread: str) -> None:
    """Interrupted before the tools, approved, and gone on with."""
    graph = approval_graph(model(calls(PAY), "Paid."), checkpointer=InMemorySaver())
    ask(graph, "Pay bob.", thread)
    resume(graph, True, thread)


def declined(thread: str) -> None:
    """Interrupted before the tools and declined: what the model reads is no tool's doing."""
    graph = approval_graph(model(calls(PAY), "Not paid."), checkpointer=InMemorySaver())
    ask(graph, "Pay bob.", thread)
    resume(graph, False, thread)


def asks_in_tool(thread: str) -> None:
    """A tool interrupts, while another one beside it has run."""

    @tool
    def ask_owner(question: str) -> str:
        """Ask the owner."""
        return str(interrupt(question))

    question = call("ask_owner", {"question": "pay?"}, call_id="ask")
    agent = create_agent(
        model(calls(LOOK, question), "Done."),
        [*ledger_tools(), ask_owner],
        name="payer",
        checkpointer=InMemorySaver(),
    )
    ask(agent, "Pay bob if the owner agrees.", thread)
    resume(agent, "yes", thread)


def reviewed(thread: str) -> None:
    """LangChain's own middleware asks a person, who rejects."""
    agent = create_agent(
        model(calls(PAY), "Not paid."),
        ledger_tools(),
        name="payer",
        checkpointer=InMemorySaver(),
        middleware=[HumanInTheLoopMiddleware({"transfer": True})],
    )
    ask(agent, "Pay bob.", thread)
    resume(agent, {"decisions": [{"type": "reject", "message": "too much"}]}, thread)


def never_resumed(thread: str) -> None:
    """Interrupted, and nobody ever answers."""
    graph = approval_graph(model(calls(PAY), "Paid."), checkpointer=InMemorySaver())
    ask(graph, "Pay bob.", thread)


def as_tool(thread: str) -> None:
    """An agent that is a tool of another agent."""
    clerk = create_agent(
        model(calls(LOOK), BALANCE), ledger_tools(), name="clerk", system_prompt="You look up."
    )

    @tool
    def ask_clerk(question: str) -> str:
        """Ask the clerk."""
        return str(clerk.invoke({"messages": [("user", question)]})["messages"][-1].text)

    boss = create_agent(
        model(calls(call("ask_clerk", {"question": "bob?"})), "Twenty."), [ask_clerk], name="boss"
    )
    ask(boss, "What does bob hold?", thread)


def nested(thread: str) -> None:
    """A subgraph between two turns of the outer graph."""
    script = (says("I plan."), calls(LOOK), says("Looked."), says("Reviewed."))
    ask(nested_graph(model(*script)), "Look at bob.", thread)


def handed_over(thread: str) -> None:
    """One agent hands the conversation over to another."""
    front = model(calls(call("transfer_to_specialist")), agent="front")
    specialist = model(calls(LOOK), BALANCE, agent="specialist")
    ask(handoff_graph(front, specialist), "What does bob hold?", thread)


def retried(thread: str) -> None:
    """A node fails after its model has replied, and is run again."""
    failures = [ConnectionError("once")]
    asked = model("It is done.")

    def reply(state: MessagesState) -> dict[str, Any]:
        said = asked.invoke(state["messages"])
        if failures:
            raise failures.pop()
        return {"messages": [said]}

    builder = StateGraph(MessagesState)
    policy = RetryPolicy(initial_interval=0.001, jitter=False)
    builder.add_node("reply", reply, retry_policy=policy)
    builder.add_edge(START, "reply")
    ask(builder.compile(), "Do it.", thread)


def asks_in_node(thread: str) -> None:
    """A node asks a person about the turn of its own model; resumed, it asks the model again."""
    asked = ScriptedChatModel(script=lambda text: ["Short."] if text == "shorter" else ["A draft."])

    def write(state: MessagesState) -> dict[str, Any]:
        draft = asked.invoke(state["messages"])
        wish = ("user", interrupt("how is it?"))
        return {"messages": [draft, wish, asked.invoke([*state["messages"], draft, wish])]}

    builder = StateGraph(MessagesState)
    builder.add_node("write", write)
    builder.add_edge(START, "write")
    graph = builder.compile(checkpointer=InMemorySaver())
    ask(graph, "Write a letter.", thread)
    resume(graph, "shorter", thread)


SCENARIOS: dict[str, Callable[[str], None]] = {name: globals()[name] for name in NAMES}
