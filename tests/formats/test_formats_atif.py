"""ATIF: a document of the real shape, a lossless round trip, and documents that others accept."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentcal.errors import ConfigError
from agentcal.formats import load, to_atif, write_atif
from agentcal.trajectory import Message, Step, TokenLogprobs, ToolCall, Trajectory, Usage
from tests.formats.test_formats_written import RUN, run_of

SAMPLES = Path(__file__).parent / "samples"
VERSIONS = ("1.4", "1.5", "1.6", "1.7", "1.8")

Save = Callable[..., Path]


def one(path: Path) -> Trajectory:
    (run,) = load(path)
    return run


def document(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    agent = {"name": "a", "version": "1"}
    return {
        "schema_version": "ATIF-v1.7",
        "session_id": "s",
        "agent": agent,
        "steps": [*steps],
        **more,
    }


def agent(message: str = "", **more: Any) -> dict[str, Any]:
    return {"source": "agent", "message": message, **more}


def test_a_real_document() -> None:
    run = one(SAMPLES / "atif.json")
    assert (run.run_id, run.group, run.agent, run.model) == (
        "run-77",
        "hello-world",
        "terminus-2",
        "openai/gpt-x",
    )
    assert (run.system, run.task) == ("You are at a terminal.", "Create hello.txt")
    assert [tool.name for tool in run.tools] == ["bash"]
    assert run.outcome is not None
    assert (run.outcome.value, run.end_reason) == (1.0, "answered")
    assert run.started_at is not None
    assert run.started_at.isoformat() == "2025-10-11T10:30:00+00:00"
    first, second, last = run.steps
    assert [(c.id, c.status, c.result) for c in first.tool_calls] == [
        ("c1", "ok", ""),
        ("c2", "error", "cat: hallo.txt: No such file"),
    ]
    assert (first.reasoning, first.model) == ("Two commands at once.", "openai/gpt-x-mini")
    assert first.usage == Usage(input_tokens=520, output_tokens=3, reasoning_tokens=12)
    assert first.logprobs == TokenLogprobs(logprobs=[-0.1, -0.05, -0.7])
    assert second.tool_calls == []
    assert [message.text for message in last.inputs] == [
        "New terminal output: hello.txt",
        "Context was compacted.",
        "summary: file made",
        "An old decision.",
    ]
    assert [message.role for message in last.inputs] == ["system", "system", "system", "agent"]
    assert run.metadata["agent_version"] == "2.1.0"
    assert "success" not in run.metadata


def test_what_is_left_out_is_noted(save: Save) -> None:
    run = load(save(document(agent("x"), subagent_trajectories=[document()])))
    assert len(list(run)) == 1
    assert run.report.counts == {"embedded subagent trajectories": 1}
    picture = load(SAMPLES / "atif.json")
    list(picture)
    assert picture.report.counts == {"message part is not text": 1}


@pytest.mark.parametrize(
    ("extra", "status"),
    [
        ({}, "ok"),
        ({"is_error": True}, "error"),
        ({"is_error": False}, "ok"),
        ({"error": "boom"}, "error"),
        ({"success": False}, "error"),
        ({"success": True}, "ok"),
        ({"status": "error"}, "error"),
        (None, "ok"),
    ],
)
def test_failed_results(save: Save, extra: dict[str, Any] | None, status: str) -> None:
    calls = [{"tool_call_id": "c", "function_name": "f", "arguments": {}}]
    results = [{"source_call_id": "c", "content": "[ERROR] in a log line", "extra": extra}]
    run = one(save(document(agent(tool_calls=calls, observation={"results": results}))))
    assert run.steps[0].tool_calls[0].status == status


def test_an_error_stands_in_for_content_that_is_not_there(save: Save) -> None:
    calls = [{"tool_call_id": "c", "function_name": "f", "arguments": {}}]
    results = [{"source_call_id": "c", "extra": {"error": "cannot read"}}]
    run = one(save(document(agent(tool_calls=calls, observation={"results": results}))))
    (call,) = run.steps[0].tool_calls
    assert (call.status, call.result) == ("error", "cannot read")


def test_a_step_may_say_that_its_one_result_failed(save: Save) -> None:
    calls = [{"tool_call_id": "c", "function_name": "f", "arguments": {}}]
    results = {"results": [{"source_call_id": "c", "content": "x"}]}
    step = agent(tool_calls=calls, observation=results, extra={"tool_result_is_error": True})
    assert one(save(document(step))).steps[0].tool_calls[0].status == "error"


def test_continuations_of_one_session_are_runs_of_their_own(save: Save) -> None:
    first, second = (document(agent("x"), trajectory_id=name) for name in ("t1", "t2"))
    assert [run.run_id for run in load(save(first, second))] == ["t1", "t2"]


def test_a_document_without_version_or_agent_is_known_by_its_steps(save: Save) -> None:
    bare = {"steps": [{"step_id": 1, "source": "user", "message": "Hi"}, agent("Hello")]}
    run = one(save(bare, name="trajectory.json"))
    assert (run.run_id, run.task, run.end_reason) == ("trajectory.json:1", "Hi", "answered")


def harbor(folder: Path, result: Any) -> Path:
    trial = folder / "job" / "hello__x1"
    (trial / "agent").mkdir(parents=True)
    steps = [{"source": "user", "message": "Hi"}, agent("Hello")]
    (trial / "agent" / "trajectory.json").write_text(json.dumps(document(*steps)))
    (trial / "result.json").write_text(result if isinstance(result, str) else json.dumps(result))
    return trial / "agent" / "trajectory.json"


@pytest.mark.parametrize(
    ("result", "value", "end"),
    [
        ({"verifier_result": {"rewards": {"reward": 1.0, "style": 0.1}}}, 1.0, "answered"),
        ({"verifier_result": {"rewards": {"tests": 0.5}}}, 0.5, "answered"),
        ({"verifier_result": None}, None, "answered"),
        ({"exception_info": {"exception_type": "AgentTimeoutError"}}, None, "interrupted"),
        ({"exception_info": {"exception_type": "NonZeroAgentExitCodeError"}}, None, "error"),
        ("{", None, "answered"),
        ([1], None, "answered"),
    ],
)
def test_the_trial_of_a_harbor_job(
    tmp_path: Path, result: Any, value: float | None, end: str
) -> None:
    named = {"task_name": "tb/hello", **result} if isinstance(result, dict) else result
    run = one(harbor(tmp_path, named))
    assert (run.outcome.value if run.outcome else None) == value
    assert run.end_reason == end
    assert run.group == ("tb/hello" if isinstance(result, dict) else None)


def test_a_file_elsewhere_has_no_trial(tmp_path: Path) -> None:
    path = harbor(tmp_path, {"verifier_result": {"rewards": {"reward": 1.0}}})
    other = path.with_name("copy.json")
    path.rename(other)
    assert one(other).outcome is None


def normal(run: Trajectory) -> Trajectory:
    """A usage or log-probabilities without any number are none: the one thing that is lost."""
    steps = [
        step.model_copy(
            update={
                "usage": None if step.usage == Usage() else step.usage,
                "logprobs": None if step.logprobs == TokenLogprobs() else step.logprobs,
            }
        )
        for step in run.steps
    ]
    return run.model_copy(update={"steps": steps})


@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(RUN, st.sampled_from(VERSIONS))
def test_round_trip(
    tmp_path_factory: pytest.TempPathFactory, run: Trajectory, version: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "atif.jsonl"
    assert write_atif([run], path, version=version) == 1
    loaded = load(path)
    assert list(loaded) == [normal(run)]
    assert loaded.report.formats == {"atif": 1}


@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(RUN, st.sampled_from(VERSIONS))
def test_others_accept_what_is_written(run: Trajectory, version: str) -> None:
    """The `atif` package checks ids, order, and which field may stand where."""
    atif = pytest.importorskip("atif", reason="the `atif` package is not installed")
    atif.Trajectory.model_validate_json(json.dumps(to_atif(run, version=version)))


def test_others_read_the_same(tmp_path: Path) -> None:
    atif = pytest.importorskip("atif", reason="the `atif` package is not installed")
    call = ToolCall(id="c", name="pay", arguments={"n": 1}, result="no", status="error")
    logprobs = TokenLogprobs(tokens=["a"], logprobs=[-0.5])
    step = Step(text="Paying.", reasoning="Hm.", tool_calls=[call], logprobs=logprobs)
    step.usage = Usage(input_tokens=7, output_tokens=2)
    theirs = atif.Trajectory.model_validate(
        to_atif(Trajectory(run_id="r", task="Pay", steps=[step]))
    )
    assert [s.source for s in theirs.steps] == ["user", "agent"]
    written = theirs.steps[1]
    assert (written.message, written.reasoning_content) == ("Paying.", "Hm.")
    assert written.tool_calls[0].arguments == {"n": 1}
    assert written.observation.results[0].extra == {"is_error": True}
    assert (written.metrics.logprobs, written.metrics.prompt_tokens) == ([-0.5], 7)
    assert theirs.final_metrics.total_prompt_tokens == 7


def test_what_a_version_has_no_field_for_is_not_written_there() -> None:
    run = Trajectory(run_id="r", steps=[Step(tool_calls=[ToolCall(name="f", result="x")])])
    run.steps[0].tool_calls[0].status = "error"
    old, new = to_atif(run, version="1.4"), to_atif(run, version="1.7")
    assert "trajectory_id" not in old
    assert new["trajectory_id"] == "r"
    results = [doc["steps"][1]["observation"]["results"][0] for doc in (old, new)]
    assert ["extra" in result for result in results] == [False, True]


def test_repeated_call_ids_are_made_unique_and_read_back_as_they_were(tmp_path: Path) -> None:
    calls = [
        ToolCall(id=i, name="f", result=str(n), status="ok") for n, i in enumerate(["", "a", "a"])
    ]
    run = Trajectory(run_id="r", steps=[Step(tool_calls=calls[:2]), Step(tool_calls=calls[2:])])
    steps = to_atif(run)["steps"]
    ids = [call["tool_call_id"] for step in steps for call in step.get("tool_calls", [])]
    assert len(set(ids)) == 3
    assert all(ids)
    write_atif([run], tmp_path / "x.jsonl")
    assert one(tmp_path / "x.jsonl") == run


def test_real_runs_go_through_atif_unchanged(data: Path, tmp_path: Path) -> None:
    runs = [*load(data / "taubench")][::4] + [*load(data / "local_llm")][::80]
    runs += [*load(data / "agentdojo" / "claude-3-haiku-20240307.jsonl.gz")][::4]
    assert write_atif(runs, tmp_path / "all.jsonl.gz") == len(runs)
    loaded = load(tmp_path / "all.jsonl.gz")
    assert list(loaded) == runs
    assert loaded.report.skipped == 0


def test_a_folder_holds_a_file_a_run_with_names_that_files_can_have(tmp_path: Path) -> None:
    ids = ["a/b:c", "a_b_c", "A_b_c", "...", "ä" * 300, "..", "con: x"]
    assert write_atif(map(run_of, ids), tmp_path / "out") == len(ids)
    files = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert len({name.casefold() for name in files}) == len(ids)
    assert not any(name.startswith(".") or len(name) > 120 for name in files)
    assert {run.run_id for run in load(tmp_path / "out")} == set(ids)


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    def crashing() -> Any:
        yield run_of("a")
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        write_atif(crashing(), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_what_stands_in_the_way_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("mine")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="not empty"):
        write_atif([run_of("a")], tmp_path / "full")
    with pytest.raises(ConfigError, match="is a file"):
        write_atif([run_of("a")], tmp_path / "file")
    with pytest.raises(ConfigError, match=r"'2\.0' is not known"):
        write_atif([run_of("a")], tmp_path / "new", version="2.0")
    assert write_atif([run_of("a")], tmp_path / "empty") == 1
    assert (tmp_path / "full" / "x").read_text() == (tmp_path / "file").read_text() == "mine"


def test_broken_unicode_is_written_readably(tmp_path: Path) -> None:
    run = Trajectory(run_id="a", task="x \ud800 y")
    write_atif([run], tmp_path / "runs.jsonl")
    assert one(tmp_path / "runs.jsonl").task == "x \ufffd y"


def test_a_bad_label_in_a_document_of_ours_costs_the_label_only(save: Save) -> None:
    broken = to_atif(run_of("a"))
    broken["extra"]["agentcal"]["outcome"] = {"value": 7}
    runs = load(save(broken))
    (run,) = runs
    assert run.outcome is None
    assert runs.report.counts == {"label is not in [0, 1]": 1}


def test_what_was_said_by_another_agent_is_not_a_decision(tmp_path: Path) -> None:
    said = Message(role="agent", text="I am done.")
    run = Trajectory(run_id="a", steps=[Step(inputs=[said], text="Good.")], trailing_inputs=[said])
    write_atif([run], tmp_path / "a.jsonl")
    assert one(tmp_path / "a.jsonl") == run
    assert [step["source"] for step in to_atif(run)["steps"]].count("agent") == 1
