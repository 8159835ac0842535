"""AgentDojo, tau-bench and local_llm: hand-made cases, then the real files."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agentcal.formats import LoadReport, load
from agentcal.trajectory import Message, Trajectory

Save = Callable[..., Path]

DOJO = {"suite_name": "bank", "user_task_id": "t_1", "model": "m", "success": True}
SUMMARY = {"metadata": {"benchmark": "agent-dojo", "accuracy": 0.5, "name": "m"}}


def one(path: Path) -> tuple[Trajectory, LoadReport]:
    runs = load(path)
    (run,) = runs
    return run, runs.report


def test_dojo_fields(save: Save) -> None:
    attack = {"injection_task_id": "i_2", "attack_type": "tool_knowledge", "security": False}
    clean = {"messages": [], "metadata": {**DOJO, "injection_task_id": None}}
    attacked = {"messages": [], "metadata": {**DOJO, **attack, "success": False}}
    runs = load(save(SUMMARY, clean, attacked, name="m-defended.jsonl"))
    first, second = runs
    assert first.run_id == "m-defended/bank/t_1/clean"
    assert second.run_id == "m-defended/bank/t_1/i_2@tool_knowledge"
    assert first.group == second.group == "bank/t_1"
    assert (first.agent, first.model) == ("m-defended", "m")
    assert [run.outcome.value for run in runs if run.outcome] == [1.0, 0.0]
    assert second.metadata == {"suite_name": "bank", "user_task_id": "t_1", "model": "m", **attack}
    assert runs.report.counts == {"run without a model turn": 2}


def test_dojo_errors_keep_content_and_error(save: Save) -> None:
    proposed = [{"id": "", "function": {"name": "pay", "arguments": {"n": n}}} for n in (1, 2)]
    answers = [
        {"role": "tool", "tool_call_id": None, "content": "<<>>", "error": "ValueError: no"},
        {"role": "tool", "tool_call_id": None, "content": "paid", "error": None},
    ]
    messages = [
        {"role": "user", "content": "Pay."},
        {"role": "assistant", "content": None, "tool_calls": proposed},
        *answers,
        {"role": "assistant", "content": "", "tool_calls": None},
    ]
    run, _ = one(save({"messages": messages, "metadata": DOJO}))
    assert [(c.status, c.result) for c in run.steps[0].tool_calls] == [
        ("error", "<<>>\nValueError: no"),
        ("ok", "paid"),
    ]
    assert (len(run.steps), run.end_reason) == (2, "unknown")


def test_dojo_user_is_only_who_gave_the_task(save: Save) -> None:
    call = {"id": "1", "function": {"name": "pay", "arguments": {}}}
    messages = [
        {"role": "system", "content": "You are a bank."},
        {"role": "user", "content": "Pay."},
        {"role": "user", "content": "Filter the tools."},
        {"role": "assistant", "content": "pay"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": "paid", "error": None},
        {"role": "user", "content": "Pay."},
        {"role": "assistant", "content": "Done."},
        {"role": "user", "content": "Pay."},
    ]
    run, report = one(save({"messages": messages, "metadata": DOJO}))
    again = [Message(role="system", text="Pay.")]
    asked = [Message(role="system", text="Filter the tools.")]
    assert (run.task, run.system) == ("Pay.", "You are a bank.")
    assert [step.inputs for step in run.steps] == [asked, [], again]
    assert run.trailing_inputs == again
    assert report.noted == 0


def test_tau_fields(save: Save) -> None:
    call = {"id": "1", "function": {"name": "book", "arguments": '{"x": 1}'}}
    traj = [
        {"role": "system", "content": "Policy."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Who are you?"},
        {"role": "user", "content": "Mia"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "name": "book", "content": "Error: full"},
        {"role": "assistant", "content": "Sorry."},
        {"role": "user", "content": "###STOP###"},
    ]
    gold = {"task": {"actions": ["SECRET"]}, "reward_info": {"reward": 1.0}}
    row = {"task_id": 4, "trial": 2, "reward": 1.0, "traj": traj, "info": gold}
    run, _ = one(save(json.dumps([row]), name="gpt-airline.json"))
    assert (run.run_id, run.group, run.agent) == ("gpt-airline/4/2", "4", "gpt-airline")
    assert (run.task, run.system) == ("Hi", "Policy.")
    assert run.steps[1].inputs == [Message(role="user", text="Mia")]
    assert run.steps[1].tool_calls[0].status == "error"
    assert run.trailing_inputs == [Message(role="user", text="###STOP###")]
    assert run.end_reason == "answered"
    assert "SECRET" not in run.model_dump_json()


def test_tau_files_of_two_agents_do_not_collide(save: Save) -> None:
    row = {"task_id": 4, "trial": 2, "reward": 1.0, "traj": []}
    save([row], name="results/a.json")
    runs = load(save([row], name="results/b.json").parent)
    assert len(list(runs)) == 2


def turn(content: str, call: dict[str, Any] | None = None) -> dict[str, Any]:
    tokens = [["{", -0.1, [-0.1, -3.0]], ["}", -0.7, [-0.6, -0.7]]]
    message = {"role": "assistant", "content": content, "logprobs": tokens, "latency_s": 0.5}
    return {**message, "tool_call": call} if call else message


def tool(name: str | None, content: str, error: bool = False) -> dict[str, Any]:
    return {"role": "tool", "name": name, "content": content, "error": error}


def local(*messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    start = [
        {"role": "system", "content": "- add(a, b): adds"},
        {"role": "user", "content": "1+1?"},
    ]
    settings = {"gold": "GOLD", "difficulty": 3, "family": "sum", "temperature": 0.7, "wall_s": 1.0}
    row = {"id": "r", "seed": 9, "model": "q", "question": "1+1?", "answer": "2", "success": True}
    ending = {"verbalized_confidence": 90, "stop": "answered", "messages": [*start, *messages]}
    return {**row, **settings, **ending, **more}


def test_local_fields(save: Save) -> None:
    row = local(
        turn('{"tool": "add", "args": {"a": 1}}', {"name": "add", "args": {"a": 1}}),
        tool("add", "ERROR: 503", error=True),
        turn("I think 2"),
        tool("__parse__", "ERROR: reply was not one valid JSON object", error=True),
        turn('{"answer": 2, "confidence": 90}'),
    )
    run, report = one(save(row, name="q-1b-v3.jsonl"))
    assert (run.run_id, run.group, run.agent, run.model) == ("r", "9", "v3", "q")
    first, malformed, last = run.steps
    (call,) = first.tool_calls
    assert (call.arguments, call.status, call.result) == ({"a": 1}, "error", "ERROR: 503")
    (parse,) = malformed.tool_calls
    assert (parse.name, parse.arguments, parse.raw_arguments) == ("__parse__", None, "I think 2")
    assert (parse.status, malformed.text) == ("error", "I think 2")
    assert [step.text for step in (first, last)] == ["", "2"]
    assert [step.stated_confidence for step in run.steps] == [None, None, 0.9]
    assert first.logprobs is not None
    assert first.logprobs.tokens == ["{", "}"]
    assert first.logprobs.top == [[-0.1, -3.0], [-0.6, -0.7]]
    assert (first.latency_s, run.end_reason) == (0.5, "answered")
    assert [tool.name for tool in run.tools] == ["add"]
    assert set(run.tools[0].parameters["properties"]) == {"a", "b"}  # type: ignore[arg-type]
    assert set(run.metadata) == {"gold", "difficulty", "seed", "temperature", "wall_s"}
    assert run.family
    assert report.noted == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"answer": "Rome", "confidence": 3}', "Rome"),
        ('{"answer": [1, 2]}', "[1, 2]"),
        ('{"answer": 1, "reason": "x"}', '{"answer": 1, "reason": "x"}'),
        ("plain", "plain"),
        ("[1]", "[1]"),
    ],
)
def test_the_envelope_of_an_answer_is_taken_off(save: Save, content: str, said: str) -> None:
    run, _ = one(save(local(turn(content))))
    assert run.steps[0].text == said


def test_text_beside_a_local_call_is_kept(save: Save) -> None:
    call = {"name": None, "args": {}}
    run, report = one(save(local(turn('{"error": "unknown"}', call), tool(None, "ERROR", True))))
    assert run.steps[0].text == '{"error": "unknown"}'
    assert (run.steps[0].tool_calls[0].name, run.steps[0].tool_calls[0].status) == ("", "error")
    assert report.counts == {"tool call without a name": 1}


@pytest.mark.parametrize(
    ("stated", "wanted"), [(0, 0.0), (100, 1.0), (None, None), (101, None), (-1, None), ("9", None)]
)
def test_local_confidence(save: Save, stated: Any, wanted: float | None) -> None:
    run, report = one(save(local(turn("x"), verbalized_confidence=stated)))
    assert run.stated_confidence == wanted
    noted = report.counts.get("stated confidence is not in [0, 100]", 0)
    assert noted == (wanted is None and stated is not None)


@pytest.mark.parametrize(
    ("stop", "wanted"),
    [("answered", "answered"), ("max_steps", "max_steps"), ("error: x", "error"), ("?", "unknown")],
)
def test_local_end(save: Save, stop: str, wanted: str) -> None:
    run, _ = one(save(local(turn("x"), stop=stop)))
    assert run.end_reason == wanted


@pytest.mark.parametrize("name", ["plain.jsonl", "q-v.jsonl"])
def test_without_a_version_the_model_is_the_agent(save: Save, name: str) -> None:
    run, _ = one(save(local(turn("x")), name=name))
    assert run.agent == "q"


def visible(run: Trajectory) -> str:
    """Everything but what says which run it is and how it went: what features may look at."""
    return run.model_dump_json(exclude={"run_id", "group", "family", "outcome", "metadata"})


def rate(runs: list[Trajectory]) -> float:
    return sum(run.outcome.value for run in runs if run.outcome) / len(runs)


def raw_lines(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def test_agentdojo(data: Path) -> None:
    loaded = load(data / "agentdojo")
    runs = list(loaded)
    assert len(runs) == len({run.run_id for run in runs}) == 2522
    assert round(rate(runs), 2) == 0.51
    assert len({run.agent for run in runs}) == 13
    assert len({run.group for run in runs}) == 97
    assert loaded.report.counts == {"run without a model turn": 34}
    assert sum(not run.steps for run in runs) == 34
    assert loaded.report.skipped == 0


def test_agentdojo_gives_every_result_to_its_own_call(data: Path) -> None:
    """The files repeat in each tool message which call it answers: an oracle for the matching."""
    for path in sorted((data / "agentdojo").glob("*.gz")):
        runs = list(load(path))
        rows = [row for row in raw_lines(path) if "messages" in row]
        for run, row in zip(runs, rows, strict=True):
            answers = [m for m in row["messages"] if m["role"] == "tool"]
            calls = [c for step in run.steps for c in step.tool_calls if c.status != "missing"]
            assert [(c.name, c.arguments) for c in calls] == [
                (m["tool_call"]["function"], m["tool_call"]["args"]) for m in answers
            ]
            assert [c.status == "error" for c in calls] == [bool(m["error"]) for m in answers]
            turns = sum(m["role"] == "assistant" for m in row["messages"])
            assert len(run.steps) == turns


def test_agentdojo_defences_do_not_speak_as_the_user(data: Path) -> None:
    """The files name no author: what is under "user" is the task, said again, or one prompt."""
    said: Counter[tuple[str | None, str, bool]] = Counter()
    for path in sorted((data / "agentdojo").glob("*.gz")):
        rows = [row for row in raw_lines(path) if "messages" in row]
        for run, row in zip(load(path), rows, strict=True):
            first = next((m["content"] for m in row["messages"] if m["role"] == "user"), "")
            assert run.task == first
            inputs = [m for step in run.steps for m in step.inputs] + run.trailing_inputs
            said.update((run.agent, m.role, m.text == run.task) for m in inputs)
    assert said == {
        ("gpt-4o-2024-05-13-repeat_user_prompt", "system", True): 673,
        ("gpt-4o-2024-05-13-tool_filter", "system", False): 194,
    }


def test_agentdojo_shows_nothing_of_the_benchmark(data: Path) -> None:
    for run in load(data / "agentdojo"):
        shown = visible(run)
        for word in ("injection_task", "important_instructions", "user_task_", "suite_name"):
            assert word not in shown, run.run_id


def test_taubench(data: Path) -> None:
    loaded = load(data / "taubench")
    runs = list(loaded)
    assert len(runs) == 200
    assert rate(runs) == pytest.approx(0.42)
    assert Counter(Counter(run.group for run in runs).values()) == {4: 50}
    assert (loaded.report.skipped, loaded.report.noted) == (0, 0)
    assert all("gt_data_hash" not in run.model_dump_json() for run in runs)
    assert all("r_actions" not in run.model_dump_json() for run in runs)
    assert all(set(run.metadata) == {"task_id", "trial"} for run in runs)
    assert sum(c.status == "error" for r in runs for s in r.steps for c in s.tool_calls) == 73


def test_local_llm(data: Path) -> None:
    loaded = load(data / "local_llm")
    runs = list(loaded)
    assert len(runs) == 1658
    assert loaded.report.counts == {"tool call without a name": 6}
    assert {run.agent for run in runs} == {"v1", "v2", "v3"}
    shares = {
        who: round(rate([run for run in runs if (run.agent, run.model) == who]), 2)
        for who in {(run.agent, run.model) for run in runs}
    }
    assert sorted(shares.values()) == [0.15, 0.38, 0.40, 0.45]
    steps = [step for run in runs for step in run.steps]
    assert all(step.logprobs and step.usage and step.latency_s for step in steps)
    malformed = [c for s in steps for c in s.tool_calls if c.name == "__parse__"]
    assert len(malformed) == 20
    assert all(c.arguments is None and c.status == "error" for c in malformed)


def test_local_llm_agrees_with_its_source(data: Path) -> None:
    for path in sorted((data / "local_llm").glob("*.gz")):
        for run, row in zip(load(path), raw_lines(path), strict=True):
            turns = [m for m in row["messages"] if m["role"] == "assistant"]
            tokens = [[t for t, _, _ in m["logprobs"]] for m in turns]
            assert [s.logprobs.tokens for s in run.steps if s.logprobs] == tokens
            stated = row["verbalized_confidence"]
            assert run.stated_confidence == (None if stated is None else stated / 100)
            if row["stop"] == "answered":
                wanted = row["answer"]
                text = wanted if isinstance(wanted, str) else json.dumps(wanted)
                assert run.steps[-1].text == text
            shown = json.loads(visible(run))
            assert not {"gold", "difficulty", "family", "seed", "temperature"} & set(shown)
            assert run.metadata["gold"] == row["gold"]
