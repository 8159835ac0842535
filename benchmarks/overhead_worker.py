"""One condition of ``benchmarks.overhead``: runs the agent once for each line that says so."""

# ruff: noqa: PLC0415 - a condition imports what it measures and nothing else

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, InMemoryLogRecordExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import agentcal as ac
from benchmarks.overhead import STEPS

SYSTEM = "You look after the orders of a shop. " + "Look things up before you say anything. " * 20
TASK = "Which of my orders of last month were delayed, and by how many days?"
PAGE = "Order {n}: 3 items, shipped by truck, due on the 14th, delivered on the 16th. " * 6


class Providers:
    """What every condition exports through, whether it does or not."""

    def __init__(self) -> None:
        self.spans, self.logs = InMemorySpanExporter(), InMemoryLogRecordExporter()
        self.tracer = TracerProvider()
        self.tracer.add_span_processor(BatchSpanProcessor(self.spans))
        self.logger = LoggerProvider()
        self.logger.add_log_record_processor(BatchLogRecordProcessor(self.logs))
        self.meter = MeterProvider([InMemoryMetricReader()])

    def forget(self) -> int:
        """Spans since the last time."""
        self.tracer.force_flush()
        self.logger.force_flush()
        count = len(self.spans.get_finished_spans())
        self.spans.clear()
        self.logs.clear()
        return count


def watched(condition: str, folder: Path, to: Providers) -> list[Any]:
    """Switch the condition on; the callbacks to run the agent with."""
    if condition == "otel-genai":
        from opentelemetry.instrumentation.genai.langchain import LangChainInstrumentor

        LangChainInstrumentor().instrument(tracer_provider=to.tracer)
    elif condition == "openllmetry":
        from opentelemetry.instrumentation.langchain import LangchainInstrumentor

        LangchainInstrumentor().instrument(tracer_provider=to.tracer)
    elif condition == "openinference":
        from openinference.instrumentation.langchain import LangChainInstrumentor as OpenInference

        OpenInference().instrument(tracer_provider=to.tracer)
    elif condition != "bare":
        return [recording(condition, folder, to)]
    return []


def recording(condition: str, folder: Path, to: Providers) -> Any:
    from agentcal.recorder import Recorder
    from agentcal.sinks import JsonlSink
    from agentcal.telemetry import SpanObserver
    from agentcal_langgraph import CalibrationCallbackHandler

    sink = JsonlSink(folder / f"{condition}.jsonl")
    if condition == "recording":
        return CalibrationCallbackHandler(Recorder(sinks=[sink]))
    calibrator = ac.Calibrator.load(folder / "calibrator.json")
    observer = (
        SpanObserver(to.tracer, to.meter, to.logger)
        if condition == "everything"
        else SpanObserver(to.tracer)
    )
    return CalibrationCallbackHandler(Recorder(calibrator, sinks=[sink], observers=[observer]))


def agent(callbacks: list[Any]) -> Callable[[], Any]:
    """Runs the agent once."""
    from langchain.agents import create_agent
    from langchain_core.tools import tool

    from agentcal.testing import ScriptedChatModel, call, calls, says

    @tool
    def look_up(order: int) -> str:
        """Everything that is known about an order."""
        return PAGE.format(n=order)

    usage = ac.Usage(input_tokens=900, output_tokens=40)
    script = [
        calls(call("look_up", {"order": n}), text=f"Let me see order {n}.", usage=usage)
        for n in range(STEPS)
    ]
    script.append(says("Orders 3 and 7, by two days each.", usage=usage))
    graph = create_agent(
        ScriptedChatModel(script=script), [look_up], system_prompt=SYSTEM, name="shop"
    )
    config: Any = {"callbacks": callbacks, "configurable": {"thread_id": "t"}}
    return lambda: graph.invoke({"messages": [("user", TASK)]}, config)


def main() -> None:
    condition, folder = sys.argv[1], Path(sys.argv[2])
    to = Providers()
    run = agent(watched(condition, folder, to))
    began = 0.0
    for line in sys.stdin:
        question = line.strip()
        answer: float | int = 0
        if question == "cost":
            # Asked for when all others have had their turn: what threads did afterwards is in it.
            answer = time.process_time() - began
        elif question == "spans":
            answer = to.forget()
        else:
            gc.collect()
            began = time.process_time()
            run()
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
