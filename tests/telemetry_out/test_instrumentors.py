"""Real LangGraph agents beside the real instrumentors: their spans, agentcal's events."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.telemetry_out.conftest import CANARY

ROOT = Path(__file__).parents[2]
OURS = "agentcal.telemetry"
pytestmark = pytest.mark.skipif(
    find_spec("openinference") is None,
    reason="no instrumentors here: none goes with the oldest versions (make oldest)",
)
CURRENT = {  # the span that is current when a model replies
    "openinference": ("model", "call_model"),
    "openllmetry": ("execute_task model", "execute_task call_model"),
    "otel-genai": ("invoke_workflow", "invoke_agent"),
}


def beside(instrumentor: str) -> list[dict[str, Any]]:
    """Sync, async and watched globally; a hand-built graph and an agent; logger or none."""
    done = subprocess.run(  # noqa: S603 - our own interpreter and script
        [sys.executable, "-m", "tests.telemetry_out.beside", instrumentor],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    cases: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    assert [case["errors"] for case in cases] == [0] * 12, done.stderr
    return cases


@pytest.mark.parametrize("instrumentor", list(CURRENT))
def test_no_second_set_of_spans(instrumentor: str) -> None:
    for case in beside(instrumentor):
        which = case["build"], case["how"], case["logs"]
        assert case["spans"], "the instrumentor did its work"
        assert OURS not in {span["scope"] for span in case["spans"]}, which
        names = {span["id"]: span["name"] for span in case["spans"]}
        on_spans = [span["name"] for span in case["spans"] for _ in span["events"]]
        on_logs = [names[span_id] for span_id in case["events"]]
        there, elsewhere = (on_logs, on_spans) if case["logs"] else (on_spans, on_logs)
        assert (len(there), elsewhere) == (3, []), which
        assert all(name.startswith(CURRENT[instrumentor]) for name in there), (which, there)
        assert CANARY not in case["ours"]


def test_alone_it_makes_the_spans() -> None:
    for case in beside("none"):
        spans = case["spans"]
        assert sorted(span["name"].split()[0] for span in spans) == (
            ["chat"] * 3 + ["execute_tool"] * 3 + ["invoke_agent"]
        )
        assert {span["scope"] for span in spans} == {OURS}
        (root,) = (span for span in spans if span["parent"] is None)
        assert {span["parent"] for span in spans} == {None, root["id"]}
        chats = {span["id"] for span in spans if span["name"].startswith("chat")}
        if case["logs"]:
            assert set(case["events"]) == chats
        else:
            assert {span["id"] for span in spans if span["events"]} == chats
        assert CANARY not in case["ours"]
