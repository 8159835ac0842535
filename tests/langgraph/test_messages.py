"""What models say, in the shapes of every provider."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import LLM
from langchain_core.messages import AIMessage, AIMessageChunk, ChatMessage, messages_to_dict
from langchain_core.outputs import ChatGeneration, Generation
from langchain_core.tools import tool
from langgraph.graph import START, StateGraph
from pydantic import BaseModel
from typing_extensions import TypedDict

from agentcal import Step
from agentcal.formats import FORMATS, Context, langchain_step
from agentcal.testing import ScriptedChatModel, react_graph, says
from agentcal_langgraph._facts import model_in, tools_in
from agentcal_langgraph._messages import step_of, text_of
from tests.langgraph.agents import DONE, LOGPROBS, asked
from tests.langgraph.conftest import Watched


class OllamaLogprob(BaseModel):
    """As the client of Ollama has them: objects, not dictionaries."""

    token: str
    logprob: float
    top_logprobs: list[Any] = []


def _entry(token: str, logprob: float, *others: float) -> dict[str, Any]:
    top = [{"token": "t", "bytes": [], "logprob": value} for value in others]
    return {"token": token, "bytes": [], "logprob": logprob, "top_logprobs": top}


def _step(message: Any) -> Step:
    return step_of(ChatGeneration(message=message))


TOKENS = [_entry("pa", -0.25, -0.25, -2.0), _entry("id", -1.5, -1.5)]


def _ollama(entry: dict[str, Any]) -> OllamaLogprob:
    top = [_ollama(other) for other in entry.get("top_logprobs", ())]
    return OllamaLogprob(token=entry["token"], logprob=entry["logprob"], top_logprobs=top)


@pytest.mark.parametrize(
    "logprobs",
    [
        {"content": TOKENS, "refusal": None},
        {"content": TOKENS},
        TOKENS,
        [_ollama(entry) for entry in TOKENS],
        {
            "tokens": ["pa", "id"],
            "token_logprobs": [-0.25, -1.5],
            "top_logprobs": [{"t": -0.25, "u": -2.0}, {"t": -1.5}],
        },
    ],
    ids=["openai", "groq", "ollama_dicts", "ollama", "completions"],
)
def test_logprobs_of_every_provider(logprobs: Any) -> None:
    step = _step(AIMessage("paid", response_metadata={"logprobs": logprobs}))
    assert step.logprobs == LOGPROBS


@pytest.mark.parametrize("metadata", [{}, {"logprobs": None}, {"logprobs": {"content": []}}])
def test_no_logprobs_are_missing(metadata: Any) -> None:
    assert _step(AIMessage("x", response_metadata=metadata)).logprobs is None


def test_a_logprob_that_is_none_is_missing() -> None:
    entries = [_entry("a", -math.inf), _entry("b", math.nan), _entry("c", -1.0)]
    step = _step(AIMessage("abc", response_metadata={"logprobs": {"content": entries}}))
    assert step.logprobs is not None
    assert step.logprobs.logprobs == [None, None, -1.0]


def test_chunks_add_up() -> None:
    def chunk(text: str, entry: Any) -> AIMessageChunk:
        return AIMessageChunk(text, response_metadata={"logprobs": {"content": [entry]}})

    step = _step(chunk("pa", TOKENS[0]) + chunk("id", TOKENS[1]))
    assert (step.text, step.logprobs) == ("paid", LOGPROBS)


def test_a_streamed_run_has_its_logprobs(watched: Watched) -> None:
    graph = react_graph(ScriptedChatModel(script=[DONE]))
    for _ in graph.stream(asked(), watched.config(), stream_mode="messages"):
        pass
    assert watched.run().steps[0].logprobs == LOGPROBS


SUMMARY = {"type": "summary_text", "text": "hm"}


@pytest.mark.parametrize(
    ("content", "more", "text", "reasoning"),
    [
        ("plain", {}, "plain", ""),
        ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], {}, "a\nb", ""),
        (["a", {"type": "image", "url": "x"}], {}, "a", ""),
        ([{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "a"}], {}, "a", "hm"),
        ([{"type": "reasoning", "reasoning": "hm"}, {"type": "text", "text": "a"}], {}, "a", "hm"),
        ("a", {"additional_kwargs": {"reasoning_content": "hm"}}, "a", "hm"),
        (
            [
                {
                    "type": "reasoning",
                    "id": "r",
                    "summary": [{"type": "summary_text", "text": "hm"}],
                },
                {"type": "text", "text": "a"},
            ],
            {"response_metadata": {"model_provider": "openai"}},
            "a",
            "hm",
        ),
        (
            [
                {"type": "thinking", "thinking": "hm", "signature": "s"},
                {"type": "text", "text": "a"},
                {"type": "tool_use", "id": "c", "name": "look", "input": {}},
            ],
            {"response_metadata": {"model_provider": "anthropic"}},
            "a",
            "hm",
        ),
    ],
)
def test_content(content: Any, more: Any, text: str, reasoning: str) -> None:
    step = _step(AIMessage(content, **more))
    assert (step.text, step.reasoning) == (text, reasoning)


FULL = AIMessage(
    [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "paid"}],
    name="clerk",
    tool_calls=[{"name": "look", "args": {"a": {"b": [1, None]}}, "id": "c1"}],
    usage_metadata={"input_tokens": 9, "output_tokens": 4, "total_tokens": 13},
    response_metadata={
        "logprobs": {"content": TOKENS},
        "model_name": "gpt-x",
        "total_duration": 2_000_000_000,
    },
    additional_kwargs={"refusal": "no"},
)
OLD = AIMessage("", additional_kwargs={"function_call": {"name": "look", "arguments": "{oops"}})


@pytest.mark.parametrize("message", [FULL, OLD, AIMessage("x")])
def test_live_equals_read(message: AIMessage) -> None:
    reader = next(known for known in FORMATS if known.name == "langchain")
    read = reader.read(messages_to_dict([message]), Context(Path("log"), "log"))
    assert read is not None
    assert langchain_step(vars(message)) == read.steps[0] == _step(message)
    assert read.steps[0] != Step()


def test_calls_valid_and_not() -> None:
    message = AIMessage(
        "",
        tool_calls=[{"name": "look", "args": {"a": 1}, "id": "c1"}],
        invalid_tool_calls=[{"name": "act", "args": "{oops", "id": "c2", "error": "no JSON"}],
    )
    first, second = _step(message).tool_calls
    assert (first.id, first.name, first.arguments) == ("c1", "look", {"a": 1})
    assert (second.id, second.arguments, second.raw_arguments) == ("c2", None, "{oops")


def test_usage_model_and_stated_confidence() -> None:
    usage: Any = {
        "input_tokens": 9,
        "output_tokens": 4,
        "total_tokens": 13,
        "output_token_details": {"reasoning": 3},
    }
    message = AIMessage(
        "x",
        usage_metadata=usage,
        response_metadata={"model_name": "gpt-x"},
        additional_kwargs={"stated_confidence": 0.7},
    )
    step = _step(message)
    assert step.usage is not None
    assert step.usage.model_dump() == {
        "input_tokens": 9,
        "output_tokens": 4,
        "reasoning_tokens": 3,
    }
    assert (step.model, step.stated_confidence) == ("gpt-x", 0.7)
    assert _step(AIMessage("I am 90% sure")).stated_confidence is None


def test_other_classes_of_message() -> None:
    assert _step(ChatMessage("hello", role="assistant")).text == "hello"
    info = {"logprobs": {"tokens": ["pa", "id"], "token_logprobs": [-0.25, -1.5]}}
    step = step_of(Generation(text="paid", generation_info=info))
    assert step.text == "paid"
    assert step.logprobs is not None
    assert step.logprobs.logprobs == [-0.25, -1.5]


def test_text_of_parts() -> None:
    assert text_of([{"type": "text", "text": "a"}, {"type": "image", "url": "x"}, "b"]) == "a\nb"


PLAIN = {"name": "plain", "description": "Plain."}
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}}


@tool
def plain(n: int) -> int:
    """Plain."""
    return n


@pytest.mark.parametrize(
    "offered",
    [
        {
            "type": "function",
            "function": {**PLAIN, "parameters": SCHEMA},
        },
        {**PLAIN, "input_schema": SCHEMA},
        {"function_declarations": [{**PLAIN, "parameters": SCHEMA}]},
        {"toolSpec": {**PLAIN, "inputSchema": {"json": SCHEMA}}},
        plain,
    ],
    ids=["openai", "anthropic", "gemini", "bedrock", "object"],
)
def test_tools_of_every_provider(offered: Any) -> None:
    (found,) = tools_in({"tools": [offered]}, ())
    assert (found.name, found.description) == ("plain", "Plain.")
    assert found.parameters["properties"] == SCHEMA["properties"]


@pytest.mark.parametrize("params", [{}, {"tools": None}, {"tools": "x"}, {"tools": [object()]}])
def test_tools_that_nobody_can_read(params: Any) -> None:
    assert tools_in(params, ()) == []


def test_model_names() -> None:
    assert model_in({"ls_model_name": "a"}, {"model": "b"}) == "a"
    assert model_in({}, {"model_name": "c"}) == "c"
    assert model_in({}, {"model": object()}) is None


def test_a_completion_model_makes_turns_too(watched: Watched) -> None:
    class Completes(LLM):
        @property
        def _llm_type(self) -> str:
            return "completes"

        def _call(self, prompt: str, *args: Any, **kwargs: Any) -> str:
            return f"{prompt}, and so on"

    class State(TypedDict):
        text: str

    builder = StateGraph(State)
    builder.add_node("go", lambda s: {"text": Completes().invoke(s["text"])})
    builder.add_edge(START, "go")
    builder.compile().invoke({"text": "one, two"}, watched.config())
    run = watched.run()
    assert (run.task, [s.text for s in run.steps]) == ("one, two", ["one, two, and so on"])


def test_latency_is_measured(watched: Watched) -> None:
    model = ScriptedChatModel(script=[says("late")], latency_s=0.02)
    react_graph(model).invoke(asked(), watched.config())
    (step,) = watched.run().steps
    assert step.latency_s is not None
    assert step.latency_s >= 0.02
