"""Run LangGraph agents beside one instrumentor and print, as JSON, what was exported.

``python -m tests.telemetry_out.beside INSTRUMENTOR``, each in a process of its own: instrumentors
patch LangChain for good.
"""

# ruff: noqa: PLC0415 - one instrumentor a process

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any, cast

import agentcal as ac
from agentcal.recorder import Recorder
from agentcal.telemetry import SpanObserver
from agentcal.testing import (
    CapturedTelemetry,
    ScriptedChatModel,
    call,
    calls,
    capture_telemetry,
    react_graph,
    says,
)
from tests.telemetry_out.conftest import CANARY, Says

PLAN = [
    calls(call("balance", {"account": "alice"}), call("balance", {"account": "bob"})),
    calls(call("balance", {"account": CANARY})),
    says(f"done {CANARY}"),
]


def switch_on(instrumentor: str, to: CapturedTelemetry) -> None:
    """Instrument LangChain for the rest of this process."""
    if instrumentor == "openinference":
        from openinference.instrumentation.langchain import LangChainInstrumentor

        LangChainInstrumentor().instrument(tracer_provider=to.tracer_provider)
    elif instrumentor == "openllmetry":
        from opentelemetry.instrumentation.langchain import LangchainInstrumentor

        LangchainInstrumentor().instrument(tracer_provider=to.tracer_provider)
    elif instrumentor == "otel-genai":
        from opentelemetry.instrumentation.genai.langchain import (
            LangChainInstrumentor as OfficialInstrumentor,
        )

        OfficialInstrumentor().instrument(tracer_provider=to.tracer_provider)


def built(build: str) -> Any:
    """The agent, hand-built or by LangChain's factory."""
    model = ScriptedChatModel(script=PLAN)
    if build == "graph":
        return react_graph(model)
    from langchain.agents import create_agent

    from agentcal.testing import ledger_tools

    return create_agent(model, ledger_tools(), name="clerk")


def run(graph: Any, how: str, recorder: Recorder) -> None:
    """One request: sync, async, or with nothing in its config because the process is watched."""
    from agentcal_langgraph import CalibrationCallbackHandler, instrument, uninstrument

    request = {"messages": [("user", f"look at {CANARY}")]}
    config: dict[str, Any] = {"configurable": {"thread_id": "t1"}}
    if how == "global":
        instrument(recorder)
        graph.invoke(request, config)
        uninstrument()
        return
    config["callbacks"] = [CalibrationCallbackHandler(recorder)]
    if how == "sync":
        graph.invoke(request, config)
    else:
        asyncio.run(graph.ainvoke(request, config))


def exported(to: CapturedTelemetry) -> dict[str, Any]:
    """Spans, events, and the text of what is agentcal's."""
    spans = [
        {
            "id": span.context.span_id,
            "name": span.name,
            "scope": span.instrumentation_scope.name,
            "parent": span.parent.span_id if span.parent else None,
            "events": [event.name for event in span.events if "evaluation" in event.name],
        }
        for span in to.spans
    ]
    ours = [span for span in to.spans if span.instrumentation_scope.name == "agentcal.telemetry"]
    return {
        "spans": spans,
        "events": [event.log_record.span_id for event in to.events],
        "ours": "\n".join(thing.to_json() for thing in [*ours, *to.events]),
    }


def one(to: CapturedTelemetry, build: str, how: str, logs: bool) -> dict[str, Any]:
    """What one run of one agent exported."""
    graph = built(build)
    to.clear()
    logger = to.logger_provider if logs else None
    observer = SpanObserver(to.tracer_provider, to.meter_provider, logger)
    judge = cast(ac.Calibrator, Says(0.5, 0.6, 0.7))
    with Recorder(judge, observers=[observer]) as recorder:
        run(graph, how, recorder)
        errors = recorder.stats.errors
    case = {"build": build, "how": how, "logs": logs, "errors": errors}
    return case | exported(to)


def main() -> None:
    """See the module."""
    with capture_telemetry() as to:
        switch_on(sys.argv[1], to)
        cases = [
            one(to, build, how, logs)
            for build in ("graph", "agent")
            for how in ("sync", "async", "global")
            for logs in (True, False)
        ]
    sys.stdout.write(json.dumps(cases) + "\n")


if __name__ == "__main__":
    main()
