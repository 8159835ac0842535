"""Runs every scenario under one tracer: ``python -m tests.telemetry_in.record TRACER OUT``.

A process for each tracer, for instrumentors patch what they instrument. agentcal's own handler
watches the same runs. What comes out: ``SCENARIO.binpb``, the spans as an exporter sends them,
``SCENARIO.jsonl``, the runs as the handler has them, ``live.jsonl``, the runs as a
TrajectoryProcessor in the process put them together, and ``blank.binpb``, the spans of one scenario
for which no content was captured.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

from agentcal.formats import write_jsonl
from agentcal.recorder import Recorder
from agentcal.sinks import MemorySink
from agentcal.telemetry import SpanObserver, TrajectoryProcessor
from agentcal.testing import capture_telemetry
from agentcal_langgraph import instrument, uninstrument
from tests.telemetry_in.scenarios import SCENARIOS

CONTENT = {
    "OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental",
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
    "TRACELOOP_TRACE_CONTENT": "true",
}
NO_CONTENT = {
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "NO_CONTENT",
    "TRACELOOP_TRACE_CONTENT": "false",
    "OPENINFERENCE_HIDE_INPUTS": "true",
    "OPENINFERENCE_HIDE_OUTPUTS": "true",
}


def genai() -> Any:
    from opentelemetry.instrumentation.genai.langchain import (  # noqa: PLC0415 - one of them only
        LangChainInstrumentor,
    )

    return LangChainInstrumentor()


def openinference() -> Any:
    from openinference.instrumentation.langchain import (  # noqa: PLC0415 - as above
        LangChainInstrumentor,
    )

    return LangChainInstrumentor()


def openllmetry() -> Any:
    from opentelemetry.instrumentation.langchain import (  # noqa: PLC0415 - as above
        LangchainInstrumentor,
    )

    return LangchainInstrumentor()


TRACERS: dict[str, Callable[[], Any]] = {
    tracer.__name__: tracer for tracer in (genai, openinference, openllmetry)
}


def main(tracer: str, out: Path) -> None:
    os.environ.update(CONTENT)
    live, seen = MemorySink(), MemorySink()
    processor = TrajectoryProcessor(sinks=[live])
    with capture_telemetry([processor]) as captured:
        provider = captured.tracer_provider
        own = SpanObserver(provider, content=True) if tracer == "agentcal" else None
        recorder = Recorder(sinks=[seen], observers=[own] if own else [])
        tracing = TRACERS[tracer]() if own is None else None
        if tracing is not None:
            tracing.instrument(tracer_provider=provider)
        instrument(recorder)
        for name, scenario in SCENARIOS.items():
            captured.clear()
            scenario(name)
            sent = encode_spans(captured.spans).SerializeToString()
            (out / f"{name}.binpb").write_bytes(sent)
        recorder.close()
        uninstrument()
        if tracing is not None:
            tracing.uninstrument()
            os.environ.update(NO_CONTENT)
            tracing.instrument(tracer_provider=provider)
            captured.clear()
            SCENARIOS["rich"]("blank")
            sent = encode_spans(captured.spans).SerializeToString()
            (out / "blank.binpb").write_bytes(sent)
    for name in SCENARIOS:
        runs = [run for run in seen.runs if run.conversation == name]
        write_jsonl(runs, out / f"{name}.jsonl")
    write_jsonl(live.runs, out / "live.jsonl")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
