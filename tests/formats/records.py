"""A small record of every format, for tests that hold for all of them."""

from __future__ import annotations

from typing import Any

CALL = {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
TOKEN = {"token": "t", "logprob": -0.5, "top_logprobs": [{"token": "t", "logprob": -0.5}]}
CHAT: dict[str, Any] = {
    "id": "x",
    "task_id": "t",
    "success": True,
    "started_at": 0,
    "metadata": {"k": 1},
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}],
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "hi"}]},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [CALL],
            "logprobs": {"content": [TOKEN]},
            "usage": {"prompt_tokens": 1, "completion_tokens_details": {"reasoning_tokens": 1}},
        },
        {"role": "tool", "tool_call_id": "1", "content": "x", "error": None},
    ],
}
SPOKEN = {"role": "assistant", "content": "{}", "logprobs": [["t", -0.5, [-0.5]]]}
_LOGPROBS = {"logprobs": [-0.5], "extra": {"reasoning_tokens": 1}}
_LC_CALL = {"name": "f", "args": {"a": 1}, "id": "1", "type": "tool_call"}
_LC_BAD = {"name": "g", "args": "{", "id": "2", "type": "invalid_tool_call", "error": None}
_LC_AI = {
    "content": [{"type": "text", "text": "a"}, {"type": "tool_use", "id": "1"}],
    "tool_calls": [_LC_CALL],
    "invalid_tool_calls": [_LC_BAD],
    "response_metadata": {"logprobs": {"content": [TOKEN]}, "model_name": "m"},
    "additional_kwargs": {"reasoning_content": "r"},
    "usage_metadata": {"input_tokens": 1, "output_token_details": {"reasoning": 1}},
}
_LC_TOOL = {"content": "x", "tool_call_id": "1", "status": "error", "artifact": {"a": 1}}


def _lc(name: str, **kwargs: Any) -> dict[str, Any]:
    path = ["langchain", "schema", "messages", name]
    return {"lc": 1, "type": "constructor", "id": path, "kwargs": kwargs}


def _span(span_id: str, parent: str, begin: int, end: int, **said: Any) -> dict[str, Any]:
    return {
        "traceId": "0af7651916cd43dd8448eb211c80319c",
        "spanId": span_id * 16,
        "parentSpanId": parent * 16,
        "name": "n",
        "startTimeUnixNano": str(begin),
        "endTimeUnixNano": end,
        "attributes": [{"key": f"gen_ai.{k}".replace("__", "."), **v} for k, v in _values(said)],
        "events": [{"name": "e", "timeUnixNano": "3", "attributes": []}],
        "status": {"code": 1},
        "flags": 257,
    }


def _values(said: dict[str, Any]) -> list[tuple[str, Any]]:
    return [
        (k, {"value": v if isinstance(v, dict) else {"stringValue": v}}) for k, v in said.items()
    ]


_PARTS = '[{"role": "%s", "parts": [{"type": "text", "content": "%s"}]}]'
_CALLS = (
    '[{"role": "assistant", "parts": [{"type": "tool_call", "id": "1", "name": "f",'
    ' "arguments": {"a": 1}}]}]'
)
_RESPONSE = (
    '[{"role": "tool", "parts": [{"type": "tool_call_response", "id": "1", "response": "x"}]}]'
)
_TRACE = [
    _span("a", "", 0, 9, operation__name="invoke_agent", input__messages=_PARTS % ("user", "hi")),
    _span(
        "b",
        "a",
        1,
        2,
        operation__name="chat",
        input__messages=_PARTS % ("user", "hi"),
        output__messages=_CALLS,
        usage__input_tokens={"intValue": "3"},
        response__finish_reasons={"arrayValue": {"values": [{"stringValue": "tool_calls"}]}},
    ),
    _span("c", "a", 3, 4, operation__name="execute_tool", tool__name="f", tool__call__id="1"),
    _span(
        "d",
        "a",
        5,
        6,
        operation__name="chat",
        input__messages=_RESPONSE,
        output__messages=_PARTS % ("assistant", "bye"),
    ),
]
_SERVICE = {"attributes": [{"key": "service.name", "value": {"stringValue": "s"}}]}

RECORDS: dict[str, Any] = {
    "agentcal": {
        "run_id": "o",
        "steps": [{"logprobs": {"tokens": ["t"], "logprobs": [-0.5], "top": [[-0.5]]}}],
        "outcome": {"value": 1.0},
    },
    "atif": {
        "schema_version": "ATIF-v1.7",
        "session_id": "s",
        "agent": {"name": "a", "version": "1", "tool_definitions": CHAT["tools"]},
        "extra": {"task_id": "t", "success": True},
        "steps": [
            {"step_id": 1, "source": "user", "message": "hi", "timestamp": "2026-01-01T00:00:00Z"},
            {
                "step_id": 2,
                "source": "agent",
                "message": [{"type": "text", "text": "a"}],
                "tool_calls": [{"tool_call_id": "1", "function_name": "f", "arguments": {"a": 1}}],
                "observation": {"results": [{"source_call_id": "1", "content": "x"}]},
                "metrics": _LOGPROBS,
            },
            {"step_id": 3, "source": "system", "message": "m", "observation": {"results": []}},
        ],
    },
    "atif_written_here": {
        "schema_version": "ATIF-v1.7",
        "session_id": "s",
        "agent": {"name": "a", "version": "1"},
        "extra": {
            "agentcal": {
                "schema_version": 1,
                "outcome": {"value": 1.0, "at": "2026-01-01T00:00:00Z"},
                "interventions": [{"step": 0, "kind": "approved"}],
                "metadata": {"k": 1},
            }
        },
        "steps": [
            {"step_id": 1, "source": "user", "message": "hi"},
            {
                "step_id": 2,
                "source": "agent",
                "message": "",
                "tool_calls": [{"tool_call_id": "1", "function_name": "f", "arguments": {}}],
                "metrics": {"extra": {"agentcal": {"tokens": ["t"], "logprobs": [None]}}},
                "extra": {"agentcal": {"latency_s": 1.0, "tool_calls": [{"status": "rejected"}]}},
            },
        ],
    },
    "agentdojo": {
        "messages": CHAT["messages"],
        "metadata": {"suite_name": "s", "user_task_id": "u"},
    },
    "taubench": {"task_id": 1, "trial": 0, "reward": 1.0, "traj": CHAT["messages"]},
    "tau2": {
        "info": {
            "agent_info": {"implementation": "llm_agent", "llm": "m"},
            "environment_info": {
                "domain_name": "d",
                "policy": "p",
                "tool_defs": {"f": {"doc": "d"}},
            },
        },
        "tasks": [{"id": "t", "ticket": "k"}],
        "simulations": [
            {
                "id": "sim",
                "task_id": "t",
                "trial": 0,
                "start_time": "2026-01-01T00:00:00",
                "termination_reason": "user_stop",
                "reward_info": {"reward": 1.0},
                "messages": [
                    {"role": "user", "content": "hi", "tool_calls": None},
                    {
                        "role": "assistant",
                        "content": None,
                        "tool_calls": [{"id": "1", "name": "f", "arguments": {"a": 1}}],
                        "raw_data": {"message": {"reasoning_content": "r"}, "logprobs": None},
                    },
                    {
                        "role": "tool",
                        "tool_messages": [
                            {"id": "1", "role": "tool", "content": "x", "error": False}
                        ],
                    },
                ],
            }
        ],
    },
    "local_llm": {
        "id": "l",
        "stop": "answered",
        "verbalized_confidence": 5,
        "messages": [SPOKEN, SPOKEN],
    },
    "whowhen": {
        "question": "q",
        "question_ID": "q1",
        "is_correct": False,
        "mistake_agent": "A",
        "history": [
            {"role": "human", "content": "q"},
            {"role": "Orchestrator (thought)", "content": "t"},
            {"role": "assistant", "name": "A", "content": "```sh\nls\n```"},
            {"role": "user", "name": "Computer_terminal", "content": "exitcode: 1 x"},
        ],
        "system_prompt": {"A": "p"},
    },
    "otlp": {
        "resourceSpans": [
            {"resource": _SERVICE, "scopeSpans": [{"scope": {"name": "s"}, "spans": _TRACE}]}
        ]
    },
    "langchain": {
        "id": "lc",
        "success": True,
        "messages": [
            {"type": "human", "data": {"content": "hi"}},
            {"type": "ai", "data": _LC_AI},
            {"type": "tool", "data": _LC_TOOL},
            _lc("HumanMessage", content="more"),
            _lc("AIMessage", **_LC_AI),
            {"type": "tool", **_LC_TOOL},
        ],
    },
    "langchain_bare": [_lc("HumanMessage", content="hi"), _lc("AIMessage", **_LC_AI)],
    "responses": {
        "id": "r",
        "input": "hi",
        "instructions": "i",
        "usage": {"input_tokens": 1, "output_tokens_details": {"reasoning_tokens": 1}},
        "output": [
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "t"}]},
            {
                "type": "message",
                "role": "assistant",
                "content": [{"type": "output_text", "text": "a", "logprobs": [TOKEN]}],
            },
            {"type": "function_call", "call_id": "1", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "1", "output": "x"},
            {"type": "web_search_call", "id": "w", "status": "completed", "action": {"query": "q"}},
        ],
    },
    "responses_bare": [
        {"role": "user", "content": "hi"},
        {"type": "function_call", "call_id": "1", "name": "f", "arguments": "{"},
        {"type": "function_call_output", "call_id": "1", "output": [{"type": "input_text"}]},
    ],
    "openai": CHAT,
}
GOOD = [{"id": f"good {n}", "messages": [{"role": "user", "content": "hi"}]} for n in (1, 2)]
