"""What an examination says of runs whose lacks are known."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

import agentcal as ac
from agentcal.doctor import Diagnosis, Finding, examine
from agentcal.doctor._folded import Folded
from agentcal.doctor._signals import BY_NAME, SIGNALS
from agentcal.doctor._tally import OTHERS, Names
from agentcal.features import FAMILY_OF, FEATURES
from agentcal.inspection import describe
from tests.doctor.conftest import Changed

STRIPPED = ["task", "logprobs", "top_logprobs", "results", "system", "usage", "latency"]


def about(diagnosis: Diagnosis, subject: str) -> Finding | None:
    return next((f for f in diagnosis.findings if f.about == subject), None)


def finding(diagnosis: Diagnosis, subject: str) -> Finding:
    found = about(diagnosis, subject)
    assert found is not None, str(diagnosis)
    return found


def test_the_bundled_runs_can_be_fitted() -> None:
    runs = ac.sample_runs()
    told = examine(runs)
    assert not told.blocked
    assert (told.runs, told.outcomes.labelled) == (len(runs), len(runs))
    assert told.outcomes.groups == len({run.group for run in runs})
    assert told.signal("logprobs").share == told.signal("top_logprobs").share == 1.0
    assert told.signal("stated_confidence").has >= describe(runs).signals["stated confidence"]
    assert told.signal("call_ids").share == 0
    assert finding(told, "call_ids").severity == "nice to have"
    assert about(told, "logprobs") is None
    assert told.folded == 100 + len(range(100, len(runs), 10))


@pytest.mark.parametrize("name", STRIPPED)
def test_a_lack_is_found_with_what_goes_dark(sample: list[ac.Trajectory], name: str) -> None:
    signal = BY_NAME[name]
    assert signal.strip is not None
    runs = [run.model_copy(deep=True) for run in sample]
    before = examine(runs)
    assert about(before, name) is None
    for run in runs:
        signal.strip(run)
    told = finding(examine(runs), name)
    assert told.severity == signal.severity
    assert 0 < sum(told.dark.values()) <= sum(told.needing.values())
    assert told.advice


def test_what_is_dark_has_no_value_in_the_rows(sample: list[ac.Trajectory]) -> None:
    runs = [run.model_copy(deep=True) for run in sample[:20]]
    strip = BY_NAME["logprobs"].strip
    assert strip is not None
    for run in runs:
        strip(run)
    told = finding(examine(runs), "logprobs")
    family = [at for at, f in enumerate(FEATURES) if FAMILY_OF[f.name] == "logprobs"]
    rows = [point.vector[family] for run in runs for point in ac.decision_points(run)]
    blank = sum((row != row).all() for row in rows)  # noqa: PLR0124 - NaN
    assert blank == len(rows)
    assert told.dark == told.needing == {"logprobs": len(family)}
    assert told.blank == 1.0


def test_a_thin_signal_is_found_and_not_called_dark(sample: list[ac.Trajectory]) -> None:
    runs = [run.model_copy(deep=True) for run in sample]
    strip = BY_NAME["usage"].strip
    assert strip is not None
    for run in runs[::2]:
        strip(run)
    told = finding(examine(runs), "usage")
    assert "%)" in told.what
    assert told.dark == {}
    assert told.blank is not None
    assert 0.3 < told.blank < 0.9


@pytest.mark.parametrize("few", [0, 9, 10])
def test_too_few_labels_block_as_they_do_in_fit(sample: list[ac.Trajectory], few: int) -> None:
    good = [r for r in sample if r.outcome and r.outcome.value == 1][:3]
    runs = [*good, *(r for r in sample if r not in good)]
    labelled = [
        run if at < few else run.model_copy(update={"outcome": None}) for at, run in enumerate(runs)
    ]
    told = examine(labelled)
    assert told.blocked == (few < 10)
    if told.blocked:
        assert finding(told, "outcome").severity == "blocking"
        with pytest.raises(ac.NotEnoughData):
            ac.fit(labelled, nested=False, progress=False)
    assert not examine(labelled, labels=False).blocked


@pytest.mark.parametrize(
    ("values", "subject"),
    [({"outcome": ac.Outcome(value=0.5)}, "classes"), ({"group": "one"}, "groups")],
)
def test_one_class_and_one_group_block_as_they_do_in_fit(
    changed: Changed, values: dict[str, object], subject: str
) -> None:
    runs = changed(**values)
    assert finding(examine(runs), subject).severity == "blocking"
    with pytest.raises(ac.NotEnoughData):
        ac.fit(runs, nested=False, progress=False)


def test_a_score_is_a_success_from_where_it_is_said(changed: Changed) -> None:
    runs = changed(outcome=ac.Outcome(value=0.5, source="judge"))
    told = examine(runs, success_at=0.5).outcomes
    assert (told.success_rate, told.sources) == (1.0, {"judge": len(runs)})
    assert examine(runs).outcomes.success_rate == 0.0
    with pytest.raises(ac.ConfigError):
        examine(runs, success_at=0)


def _calling(*results: tuple[str, str]) -> ac.Trajectory:
    calls = [
        ac.ToolCall.model_validate({"id": "same", "name": "t", "result": text, "status": status})
        for text, status in results
    ]
    return ac.Trajectory(run_id="r", task="t", steps=[ac.Step(tool_calls=calls), ac.Step(text="x")])


def test_errors_that_are_only_worded_are_seen() -> None:
    told = examine([_calling(("Error: no such order", "ok"), ("fine", "ok"))])
    assert (told.signal("status").has, told.signal("status").of) == (0, 1)
    assert finding(told, "status").severity == "costly"
    said = examine([_calling(("Error: no such order", "error"), ("fine", "ok"))])
    assert said.signal("status").share == 1.0
    assert examine([_calling(("fine", "ok"))]).signal("status").share is None


def test_ids_that_repeat_do_not_join() -> None:
    assert examine([_calling(("a", "ok"), ("b", "ok"))]).signal("call_ids").has == 0
    assert examine([_calling(("a", "ok"))]).signal("call_ids").has == 1


def test_calls_that_a_run_was_left_with_lack_no_result() -> None:
    call = ac.ToolCall(name="t")
    waiting = ac.Trajectory(run_id="r", steps=[ac.Step(tool_calls=[call])])
    lost = ac.Trajectory(run_id="r", steps=[ac.Step(tool_calls=[call]), ac.Step(text="x")])
    assert examine([waiting]).signal("results").share is None
    assert examine([lost]).signal("results").share == 0


def test_a_confidence_in_words_counts() -> None:
    run = ac.Trajectory(run_id="r", steps=[ac.Step(text="It is 4. Confidence: 85%")])
    assert examine([run]).signal("stated_confidence").share == 1.0


def test_a_model_that_gives_no_log_probs_is_not_to_blame(changed: Changed) -> None:
    steps = [ac.Step(text="yes", latency_s=1.0)]
    told = finding(examine(changed(steps=steps, model="claude-haiku-9")), "logprobs")
    assert told.severity == "nice to have"
    assert [one.where for one in told.advice] == ["any", "claude"]
    for model in ("gpt-9", None):
        runs = [*changed(steps=steps, model="claude-haiku-9"), *changed(steps=steps, model=model)]
        assert finding(examine(runs), "logprobs").severity == "costly"


def test_gaps_are_counted_by_their_wording(changed: Changed) -> None:
    runs = changed(gaps=["2 spans without a parent", "7 spans without a parent", "no root"])
    told = examine(runs)
    assert told.gaps == {"N spans without a parent": len(runs), "no root": len(runs)}
    assert finding(told, "gaps").severity == "costly"
    few = [*runs[:1], *changed()[1:]]
    assert finding(examine(few), "gaps").severity == "nice to have"


def test_copies_and_damage_come_from_the_load_report(
    sample: list[ac.Trajectory], tmp_path: Path
) -> None:
    ac.write_jsonl(sample, tmp_path / "a.jsonl")
    line = (tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()[0]
    (tmp_path / "b.jsonl").write_text(f"{line}\n{line[:50]}\n", encoding="utf-8")
    told = examine(ac.load(tmp_path, progress=False))
    assert told.load is not None
    assert told.load.skipped == 2
    assert "2 records were skipped, 1 of them" in finding(told, "records").what
    assert told.origins == {"agentcal": len(sample)}
    assert "duplicate run id" in str(told)


def test_no_run_at_all_is_a_finding() -> None:
    told = examine([])
    assert [f.about for f in told.findings] == ["runs"]
    assert told.blocked
    assert "no run could be read" in str(told)


def test_runs_without_a_turn_block() -> None:
    assert finding(examine([ac.Trajectory(run_id="r")], labels=False), "turns").severity == (
        "blocking"
    )


def test_several_agents_are_named() -> None:
    steps = [ac.Step(text="a", agent="clerk", model="m1"), ac.Step(text="b", agent="payer")]
    told = examine([ac.Trajectory(run_id="r", agent="clerk", steps=steps)])
    assert told.agents == {"clerk": 1, "payer": 1}
    assert told.models == {"m1": 1}
    assert about(told, "turn_agents") is None


def test_a_diagnosis_survives_json(sample: list[ac.Trajectory]) -> None:
    told = examine(sample)
    assert Diagnosis.model_validate_json(told.model_dump_json()) == told
    text = str(told)
    assert all(signal.title in text for signal in SIGNALS)
    assert all(f.what in " ".join(text.split()) for f in told.findings)


def test_runs_are_not_kept(sample: list[ac.Trajectory]) -> None:
    left: list[weakref.ref[ac.Trajectory]] = []

    def stream() -> Iterator[ac.Trajectory]:
        for run in sample[:5]:
            copy = run.model_copy(deep=True)
            left.append(weakref.ref(copy))
            yield copy
            del copy

    examine(stream())
    assert [ref() for ref in left] == [None] * 5


def test_names_are_bounded() -> None:
    names = Names()
    for number in range(200):
        names.add(f"name {number}")
        names.add("x" * 1000 + str(number))
    counts = names.counts()
    assert len(counts) <= 51
    assert sum(counts.values()) == 400
    assert counts[OTHERS] > 100
    assert max(map(len, counts)) <= 120


def test_the_sample_thins_out() -> None:
    folded = Folded()
    run = ac.Trajectory(run_id="r")
    for _ in range(1200):
        folded.add(run)
    assert folded.runs == 100 + 90 + 2
    assert folded.blank(frozenset()) is None
