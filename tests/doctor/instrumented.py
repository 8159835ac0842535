"""A LangGraph agent beside one instrumentor, its spans sent by the real OTLP exporter.

``python -m tests.doctor.instrumented INSTRUMENTOR ENDPOINT_OR_FILE [RUNS]``, each in a process of
its own: instrumentors patch LangChain for good. To a file goes what the exporter would send.
"""

# ruff: noqa: PLC0415 - one instrumentor a process

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from agentcal.testing import ScriptedChatModel, call, calls, react_graph, says


def switch_on(instrumentor: str, to: TracerProvider) -> None:
    """Instrument LangChain for the rest of this process."""
    if instrumentor == "openinference":
        from openinference.instrumentation.langchain import LangChainInstrumentor

        LangChainInstrumentor().instrument(tracer_provider=to)
    elif instrumentor == "openllmetry":
        from opentelemetry.instrumentation.langchain import LangchainInstrumentor

        LangchainInstrumentor().instrument(tracer_provider=to)
    elif instrumentor == "genai":
        from opentelemetry.instrumentation.genai.langchain import (
            LangChainInstrumentor as OfficialInstrumentor,
        )

        OfficialInstrumentor().instrument(tracer_provider=to)


def work(runs: int) -> None:
    """Some requests: two calls, of which one fails, then an answer with log-probs."""
    plan = [
        calls(
            call("get_balance", {"account": "alice"}), call("get_balance", {"account": "nobody"})
        ),
        says("Alice has 100.", logprobs=[-0.1, -0.2, -0.5]),
    ]
    for number in range(runs):
        graph = react_graph(ScriptedChatModel(script=plan))
        request: dict[str, Any] = {"messages": [("user", f"How rich is Alice? ({number})")]}
        graph.invoke(request, {"configurable": {"thread_id": f"t{number}"}})


def main() -> None:
    """See the module."""
    instrumentor, where, runs = sys.argv[1], sys.argv[2], int((sys.argv[3:] or ["1"])[0])
    memory = InMemorySpanExporter()
    over_http = where.startswith("http://")
    exporter = OTLPSpanExporter(endpoint=f"{where}/v1/traces") if over_http else memory
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    switch_on(instrumentor, provider)
    work(runs)
    provider.shutdown()
    if not over_http:
        Path(where).write_bytes(encode_spans(memory.get_finished_spans()).SerializeToString())


if __name__ == "__main__":
    main()
