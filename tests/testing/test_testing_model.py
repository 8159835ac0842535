"""The scripted model behaves like a provider's: turns, ids, binding, streaming, failing."""

from __future__ import annotations

import asyncio
import functools
import operator
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    ToolMessage,
    message_chunk_to_message,
)

from agentcal import ConfigError, TokenLogprobs, Usage
from agentcal.testing import ScriptedChatModel, broken_call, call, calls, fails, ledger_tools, says

RICH = calls(
    call("get_balance", {"account": "zoë", "depth": {"a": [1, 2.5, None]}}),
    call("verify_ledger"),
    broken_call("transfer", "alice to bob"),
    text="Let me look  first.\n",
    usage=Usage(input_tokens=30, output_tokens=12, reasoning_tokens=5),
    reasoning="who is zoë?",
    logprobs=TokenLogprobs(
        tokens=["Let", " me", " look", "  first", ".\n", "{"],
        logprobs=[-0.1, -0.2, None, -0.4, -0.5, -0.01],
        top=[[-0.1, -3.0], [-0.2], [], [-0.4], [-0.5], [-0.01]],
    ),
)
SPREAD = says("Alice holds 100.", logprobs=[-0.1, -0.2, -0.3])
BLOCKS = AIMessage(content=[{"type": "text", "text": "a"}, {"type": "text", "text": "b"}])


def summed(chunks: list[Any]) -> BaseMessage:
    return message_chunk_to_message(functools.reduce(operator.add, chunks))


def content_of(message: BaseMessage) -> dict[str, Any]:
    return message.model_dump(exclude={"id"})


@pytest.mark.parametrize(
    "turn", [RICH, SPREAD, BLOCKS, says(""), calls(call("a")), says("", logprobs=[-0.3])]
)
def test_chunks_add_up_to_the_message(turn: AIMessage) -> None:
    model = ScriptedChatModel(script=[turn])
    whole = model.invoke("hello")
    chunks = list(model.stream("hello"))

    async def streamed() -> list[Any]:
        return [chunk async for chunk in model.astream("hello")]

    assert content_of(summed(chunks)) == content_of(whole)
    assert content_of(summed(asyncio.run(streamed()))) == content_of(whole)


def test_calls_and_log_probs_arrive_piece_by_piece() -> None:
    chunks = list(ScriptedChatModel(script=[RICH]).stream("hello"))
    pieces = [c.tool_call_chunks[0]["args"] for c in chunks if c.tool_call_chunks]
    with_logprobs = [c for c in chunks if "logprobs" in c.response_metadata]
    assert len(pieces) > 6
    assert len(with_logprobs) == 6
    assert chunks[-1].usage_metadata == RICH.usage_metadata
    assert all(chunk.usage_metadata is None for chunk in chunks[:-1])


def test_log_probs_have_the_shape_of_openai_chat() -> None:
    entries = RICH.response_metadata["logprobs"]["content"]
    assert entries[0] == {
        "token": "Let",
        "bytes": [76, 101, 116],
        "logprob": -0.1,
        "top_logprobs": [
            {"token": "", "bytes": [], "logprob": -0.1},
            {"token": "", "bytes": [], "logprob": -3.0},
        ],
    }
    spread = SPREAD.response_metadata["logprobs"]["content"]
    assert "".join(entry["token"] for entry in spread) == "Alice holds 100."


def test_the_turn_is_read_from_the_history() -> None:
    model = ScriptedChatModel(script=["one", "two"])
    task = HumanMessage("go")
    assert model.invoke([task]).text == "one"
    assert model.invoke([task]).text == "one"
    assert model.invoke([task, AIMessage("x"), ToolMessage("y", tool_call_id="1")]).text == "two"
    assert model.invoke([task, AIMessage("x"), AIMessage("x"), HumanMessage("again")]).text == "one"


def test_only_turns_of_the_named_agent_count() -> None:
    model = ScriptedChatModel(script=["one", "two"], agent="specialist")
    history = [HumanMessage("go"), AIMessage("x", name="front")]
    reply = model.invoke(history)
    assert (reply.text, reply.name) == ("one", "specialist")
    assert model.invoke([*history, reply]).text == "two"


def test_past_the_end_of_the_script_it_says_so() -> None:
    model = ScriptedChatModel(script=["one"])
    with pytest.raises(ConfigError, match="script of 1 turns and was asked for turn 2 after 'go'"):
        model.invoke([HumanMessage("go"), AIMessage("one")])


def test_call_ids_are_stable_unique_in_a_history_and_kept_where_given() -> None:
    turn = calls(call("a"), call("b"), broken_call("c", "{"), call("d", call_id=""))
    model = ScriptedChatModel(script=[turn, turn])

    def ids(history: list[BaseMessage]) -> list[str | None]:
        reply = model.invoke(history)
        return [c["id"] for c in (*reply.tool_calls, *reply.invalid_tool_calls)]

    first, again = ids([HumanMessage("go")]), ids([HumanMessage("go")])
    later, elsewhere = ids([HumanMessage("go"), AIMessage("x")]), ids([HumanMessage("come")])
    assert first == again
    assert first[2] == ""
    assert len({*first, *later, *elsewhere}) == 10


def test_the_script_is_not_changed_by_replaying_it() -> None:
    before = RICH.model_dump()
    reply = ScriptedChatModel(script=[RICH]).invoke("go")
    reply.response_metadata["model_name"] = reply.additional_kwargs["x"] = "changed"
    reply.tool_calls[0]["id"] = "changed"
    assert RICH.model_dump() == before


def test_a_script_may_depend_on_the_task() -> None:
    model = ScriptedChatModel(script=lambda task: [f"about {task}"])
    assert model.invoke("ants").text == "about ants"


class Parameters(BaseCallbackHandler):
    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []
        self.chunks = 0

    def on_chat_model_start(self, serialized: Any, messages: Any, **kwargs: Any) -> None:
        self.seen.append(kwargs["invocation_params"])

    def on_llm_new_token(self, token: str, **kwargs: Any) -> None:
        self.chunks += 1


def test_bound_tools_show_in_the_invocation_parameters() -> None:
    handler = Parameters()
    model = ScriptedChatModel(script=["ok"], model_name="m-1")
    bound = model.bind_tools(ledger_tools(), tool_choice="any")
    bound.invoke("hello", {"callbacks": [handler]})
    (parameters,) = handler.seen
    names = [tool["function"]["name"] for tool in parameters["tools"]]
    assert names == ["get_balance", "transfer", "verify_ledger"]
    assert (parameters["model_name"], parameters["tool_choice"]) == ("m-1", "any")


def test_callbacks_see_every_chunk() -> None:
    handler = Parameters()
    chunks = list(ScriptedChatModel(script=[RICH]).stream("hi", {"callbacks": [handler]}))
    # LangChain adds no chunk of its own where the model marks the last one.
    assert handler.chunks == len(chunks)


def test_failing_turns() -> None:
    flaky = ScriptedChatModel(script=[fails(TimeoutError("down"), times=2, then="up")])
    dead = ScriptedChatModel(script=[ConnectionError("gone")])
    for _ in range(2):
        with pytest.raises(TimeoutError, match="down"):
            flaky.invoke("go")
    assert flaky.invoke("go").text == "up"
    for _ in range(3):
        with pytest.raises(ConnectionError):
            list(dead.stream("go"))
    with pytest.raises(ConfigError, match="together"):
        fails(TimeoutError(), times=1)


def test_shared_by_threads_it_stays_on_each_ones_turn() -> None:
    model = ScriptedChatModel(script=[str(i) for i in range(20)], latency_s=0.001)

    def run(task: str) -> list[str]:
        history: list[BaseMessage] = [HumanMessage(task)]
        for _ in range(20):
            history.append(model.invoke(history))
        return [message.text for message in history[1:]]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(run, map(str, range(16))))
    assert found == [[str(i) for i in range(20)]] * 16


def test_importing_it_loads_nothing_heavy() -> None:
    heavy = "{'langchain_core', 'langgraph', 'opentelemetry', 'google', 'numpy'}"
    code = (
        "import sys, agentcal.testing as t; assert 'ScriptedChatModel' in dir(t); "
        f"print(sorted({heavy} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert out.stdout.strip() == "[]"


def test_an_entry_that_is_no_turn_is_named() -> None:
    model = ScriptedChatModel(script=[{"role": "assistant"}])  # type: ignore[list-item]
    with pytest.raises(ConfigError, match="not dict"):
        model.invoke("go")
