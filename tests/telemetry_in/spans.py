"""Spans made by hand, as tracers write them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from agentcal import Trajectory
from agentcal.formats import Context
from agentcal.telemetry._collect import Collector
from agentcal.telemetry._raw import RawEvent, RawLog, RawSpan

TRACE = "0af7651916cd43dd8448eb211c80319c"


def span(
    span_id: str,
    parent: str | None = None,
    at: tuple[float, float] = (0, 1),
    *,
    name: str = "n",
    trace: str = TRACE,
    error: str = "",
    events: Iterable[RawEvent] = (),
    remote: bool = False,
    **attributes: Any,
) -> RawSpan:
    """A span from ``at[0]`` to ``at[1]`` seconds; ``__`` in a keyword stands for a dot."""
    said = {key.replace("__", "."): value for key, value in attributes.items()}
    if error:
        said["error.type"] = error
    return RawSpan(
        trace_id=trace,
        span_id=span_id,
        parent_id=parent,
        name=name,
        start_ns=int(at[0] * 1e9),
        end_ns=int(at[1] * 1e9),
        attributes=said,
        events=list(events),
        failed=bool(error),
        status_message="it went wrong" if error else "",
        remote=remote,
    )


def agent(span_id: str, parent: str | None = None, at: Any = (0, 99), **more: Any) -> RawSpan:
    given = {"gen_ai__operation__name": "invoke_agent", **more}
    return span(span_id, parent, at, **given)


def chat(
    span_id: str,
    parent: str | None,
    at: Any,
    said: Any = None,
    shown: Any = None,
    **more: Any,
) -> RawSpan:
    """A model turn of the GenAI conventions; texts and lists of parts or messages."""
    given: dict[str, Any] = {"gen_ai__operation__name": "chat", "gen_ai__request__model": "m"}
    if said is not None:
        given["gen_ai__output__messages"] = json.dumps([says(said)])
    if shown is not None:
        given["gen_ai__input__messages"] = json.dumps(shown)
    return span(span_id, parent, at, **{**given, **more})


def tool(span_id: str, parent: str | None, at: Any, name: str = "f", **more: Any) -> RawSpan:
    given = {"gen_ai__operation__name": "execute_tool", "gen_ai__tool__name": name, **more}
    return span(span_id, parent, at, **given)


def says(said: Any, role: str = "assistant") -> dict[str, Any]:
    parts = [{"type": "text", "content": said}] if isinstance(said, str) else said
    return {"role": role, "parts": parts}


def user(text: str) -> dict[str, Any]:
    return says(text, "user")


def proposes(name: str = "f", call_id: str | None = "1", **arguments: Any) -> dict[str, Any]:
    return {"type": "tool_call", "id": call_id, "name": name, "arguments": arguments}


def answers(text: str, call_id: str | None = "1") -> dict[str, Any]:
    part = {"type": "tool_call_response", "id": call_id, "response": text}
    return {"role": "tool", "parts": [part]}


def runs(*items: RawSpan | RawLog) -> list[Trajectory]:
    """The runs that these spans tell of."""
    collector = Collector()
    for item in items:
        collector.add(item)
    found = collector.runs(lambda _: Context(Path("spans"), "spans"))
    return [run for run, _ in found if run is not None]


def run(*items: RawSpan | RawLog) -> Trajectory:
    (found,) = runs(*items)
    return found


def shape(found: Trajectory) -> list[Any]:
    """Texts of the turns, with the names, results and states of their calls."""
    return [
        (step.text, [(c.name, c.result, c.status) for c in step.tool_calls]) for step in found.steps
    ]
