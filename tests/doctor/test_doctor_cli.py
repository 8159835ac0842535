"""`agentcal doctor RUNS`, on samples of real data sets and on what real instrumentors export."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

import agentcal as ac
from agentcal.declarations import write_declarations
from tests.commands import Command

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
CONTENT = {
    "OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental",
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
}


def severities(told: dict[str, Any]) -> dict[str, str]:
    return {finding["about"]: finding["severity"] for finding in told["findings"]}


def test_good_runs_end_with_0(sample: list[ac.Trajectory], doctor: Command, tmp_path: Path) -> None:
    runs = tmp_path / "runs.jsonl"
    ac.write_jsonl(sample, runs)
    done = doctor(runs)
    assert (done.code, done.err) == (0, "")
    assert "Nothing blocks" in done.out
    told = json.loads(doctor(runs, "--json").out)
    assert told["runs"] == told["load"]["read"] == len(sample)
    assert "blocking" not in severities(told).values()


def test_unlabelled_runs_end_with_1_unless_outcomes_come_later(
    sample: list[ac.Trajectory], doctor: Command, tmp_path: Path
) -> None:
    runs = tmp_path / "runs.jsonl"
    ac.write_jsonl((run.model_copy(update={"outcome": None}) for run in sample), runs)
    done = doctor(runs)
    assert done.code == 1
    assert "1 blocking problem" in done.out
    assert doctor(runs, "--no-outcomes").code == 0


def test_a_score_needs_to_reach_what_is_asked(
    sample: list[ac.Trajectory], doctor: Command, tmp_path: Path
) -> None:
    half = [
        run.model_copy(update={"outcome": ac.Outcome(value=run.outcome.value / 2)})
        for run in sample
        if run.outcome
    ]
    ac.write_jsonl(half, tmp_path / "runs.jsonl")
    assert doctor(tmp_path).code == 1
    assert doctor(tmp_path, "--success-at", "0.5").code == 0
    done = doctor(tmp_path, "--success-at", "7")
    assert (done.code, "success_at=7" in done.err) == (1, True)


def test_declared_tools_count(sample: list[ac.Trajectory], doctor: Command, tmp_path: Path) -> None:
    ac.write_jsonl((run.model_copy(update={"tools": []}) for run in sample), tmp_path / "r.jsonl")
    names = {c.name for run in sample for step in run.steps for c in step.tool_calls}
    declared = [ac.ToolDeclaration(name=name, kind="other") for name in sorted(names)]
    write_declarations(declared, tmp_path / "tools.json")
    bare = severities(json.loads(doctor(tmp_path / "r.jsonl", "--json").out))
    assert "tools" in bare
    told = json.loads(
        doctor(tmp_path / "r.jsonl", "--tools", tmp_path / "tools.json", "--json").out
    )
    assert not {"tools", "tool_hints"} & severities(told).keys()


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        ([], 2, "RUNS or --listen"),
        (["missing/*.jsonl"], 1, "missing"),
        (["runs", "--listen"], 2, "one of them"),
        (["runs", "--seconds", "3"], 2, "--seconds"),
        (["runs", "--port", "3", "--runs", "1"], 2, "--port, --runs"),
        (["--listen", "--runs", "0"], 2, "runs"),
        (["--listen", "--port", "99999"], 2, "port"),
        (["--listen", "--seconds", "soon"], 2, "seconds"),
    ],
)
def test_wrong_usage(doctor: Command, arguments: list[str], code: int, why: str) -> None:
    done = doctor(*arguments)
    assert (done.code, done.out) == (code, "")
    assert why in done.err
    assert "Traceback" not in done.err


def _some(path: Path, to: Path, count: int = 60) -> Path:
    """The first runs of a data set, as agentcal reads them."""
    if not path.exists():
        pytest.skip(f"{path} is not there")
    ac.write_jsonl(islice(iter(ac.load(path, progress=False)), count), to / "some.jsonl")
    return to / "some.jsonl"


@pytest.mark.parametrize(
    ("name", "costly", "there"),
    [
        ("agentdojo/command-r.jsonl.gz", {"logprobs"}, {"outcome", "results", "status", "task"}),
        ("taubench/gpt-4o-airline.json.gz", {"logprobs"}, {"results", "status", "task"}),
        ("local_llm/qwen2.5-coder-1.5b-v3.jsonl.gz", set(), {"logprobs", "usage", "latency"}),
    ],
)
def test_real_data_sets(
    doctor: Command, tmp_path: Path, name: str, costly: set[str], there: set[str]
) -> None:
    done = doctor(_some(DATA / name, tmp_path), "--json")
    told = json.loads(done.out)
    assert done.code == 0, severities(told)
    shares = {s["name"]: s["has"] / s["of"] for s in told["signals"] if s["of"]}
    assert {name: shares[name] for name in there if shares[name] < 0.9} == {}
    found = {about for about, severity in severities(told).items() if severity == "costly"}
    assert found & {"logprobs", "status", "results", "text"} == costly


def exported(instrumentor: str, to: Path, **environment: str) -> Path:
    """What an agent under a real instrumentor exports, as one OTLP request."""
    done = subprocess.run(  # noqa: S603 - our own interpreter and script
        [sys.executable, "-m", "tests.doctor.instrumented", instrumentor, str(to)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={key: value for key, value in os.environ.items() if key not in CONTENT} | environment,
    )
    assert done.returncode == 0, done.stderr
    return to


def test_the_official_instrumentor_without_content_and_with(
    doctor: Command, tmp_path: Path
) -> None:
    bare = json.loads(doctor(exported("genai", tmp_path / "bare.pb"), "--json").out)
    assert bare["origins"] == {"genai": 1}
    lacks = {finding["about"]: finding for finding in bare["findings"]}
    assert {"text", "task", "logprobs", "gaps"} <= lacks.keys()
    (advice,) = lacks["text"]["advice"]
    assert advice["where"] == "genai"
    # What is advised is what is done next.
    assert all(f"{name}={value}" in advice["how"] for name, value in CONTENT.items())
    full = json.loads(doctor(exported("genai", tmp_path / "full.pb", **CONTENT), "--json").out)
    left = {finding["about"] for finding in full["findings"]}
    assert not {"text", "task", "arguments", "results", "gaps"} & left
    assert "logprobs" in left, "the conventions have no place for them"
