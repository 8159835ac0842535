"""Confidence stated in numbers and words, on runs whose values are worked out by hand."""

from __future__ import annotations

import math
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import agentcal as ac
from agentcal.features import FEATURES, Digest, decision_points
from agentcal.features._stated import stated_in
from agentcal.features._verbal import spoken_in
from agentcal.features.confidence import Confidence

NAMES = [feature.name for feature in FEATURES]
OWN = [feature.name for feature in Confidence.features]
nan = math.nan


def rows(*steps: ac.Step) -> list[dict[str, float]]:
    run = ac.Trajectory(run_id="r", task="t", steps=list(steps))
    return [dict(zip(NAMES, p.vector.tolist(), strict=True)) for p in decision_points(run)]


def check(row: dict[str, float], **expected: float) -> None:
    assert {name: row[name] for name in expected} == pytest.approx(expected, nan_ok=True)


def sure(value: float | None, result: str | None = None, status: str = "ok") -> ac.Step:
    if result is None:
        return ac.Step(text="x", stated_confidence=value)
    call = ac.ToolCall(name="f", result=result, status=status)
    return ac.Step(text="x", stated_confidence=value, tool_calls=[call])


def told(step: ac.Step, text: str, role: str = "user") -> ac.Step:
    return step.model_copy(update={"inputs": [ac.Message(role=role, text=text)]})


def test_before_anything_is_stated_all_is_missing() -> None:
    for row in rows(ac.Step(text="The hotel costs 85%, at 9 out of 10 stars.")):
        assert all(math.isnan(row[name]) for name in OWN)


def test_stated_confidence() -> None:
    points = rows(*(sure(value) for value in [None, 0.5, None, 0.9, 0.6]))
    never = dict.fromkeys(("stated_confidence", "stated_confidence_change"), nan)
    check(points[0], **never, stated_confidence_mean=nan, stated_confidence_range=nan)
    check(points[1], stated_confidence=0.5, stated_confidence_change=nan, stated_confidence_range=0)
    check(points[1], stated_confidence_rise=nan, oppositions_since_stated=0)
    check(points[2], stated_confidence=0.5, stated_confidence_mean=0.5)
    check(
        points[4], stated_confidence=0.6, stated_confidence_change=-0.3,
        stated_confidence_mean=2 / 3, stated_confidence_range=0.4, stated_confidence_rise=0.1,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("The answer is 42. Confidence: 85%", 0.85),
        ("Confidence level: 0.7.", 0.7),
        ("**Confidence:** 90", 0.9),
        ('{"answer": 3, "confidence": 85}', 0.85),
        ('{"confidence_score": 7}', None),
        ("Confidence (0-100): 85", 0.85),
        ("Confidence (1-10): 8", 0.8),
        ("My confidence in this answer is about 75 percent.", 0.75),
        ("Confidence: 8/10", 0.8),
        ("confidence of 9 out of 10", 0.9),
        ("Confidence: 60%. On reflection, confidence: 40%.", 0.4),
        ("Confidence: 7", None),  # of ten, or of a hundred
        ("Confidence: 1.0", 1.0),
        ("Confidence: 120%", None),
        ("I'm 90% sure that it left.", 0.9),
        ("I am 99.5% certain", 0.995),
        ("I'd say 8/10 confident.", 0.8),
        ("with 80% confidence", 0.8),
        ("I'm not 100% sure.", None),
        ("To be 100% sure, let me look again.", None),
        ("The 95% confidence interval is [3, 7].", None),
        ("Confidence interval: 95%", None),
        ("I am confident that the 45 rows are right.", None),
        ("Sure! The discount is 20%.", None),
        ("Confidence: 3/12/2024", None),
        ("Confidence: 2024", None),
        ("Confidence: high", None),
        ("", None),
    ],
)
def test_numbers_in_a_text(text: str, value: float | None) -> None:
    assert stated_in(Digest(text)) == pytest.approx(value)
    check(rows(ac.Step(text=text))[0], stated_confidence=nan if value is None else value)


def test_what_the_step_says_goes_before_what_the_text_says() -> None:
    row = rows(ac.Step(text="Confidence: 85%", stated_confidence=0.2))[0]
    check(row, stated_confidence=0.2, stated_confidence_mean=0.2)
    thought = ac.Step(text="<think>confidence: 20%, maybe</think>All done. Confidence: 85%")
    check(rows(thought)[0], stated_confidence=0.85, spoken_confidence=nan)


def test_confidence_that_yields_to_an_error_and_one_that_does_not() -> None:
    yields = [sure(0.9, "no such file", "error"), sure(None), sure(0.6)]
    first, second, third, _ = rows(*yields)
    check(first, oppositions_since_stated=0, stated_confidence_opposed=nan)
    check(second, oppositions_since_stated=1, stated_confidence_opposed=nan)
    check(third, oppositions_since_stated=0, stated_confidence_opposed=-0.3)
    check(third, stated_confidence_unmoved_share=0)
    stays = rows(*yields, sure(0.6, "Error: no"), sure(0.7))[4]
    # -0.3 after the first error, +0.1 after the second, which only the text shows
    check(stays, stated_confidence_opposed=0.1, stated_confidence_unmoved_share=1 / 2)
    calm = rows(sure(0.9, "[1, 2]"), sure(0.5))[1]
    check(calm, stated_confidence_opposed=nan, stated_confidence_unmoved_share=nan)


def test_people_and_other_agents_can_oppose() -> None:
    check(rows(sure(0.8), told(sure(0.8), "That's not what I asked for."))[1],
          stated_confidence_opposed=0, stated_confidence_unmoved_share=1)  # fmt: skip
    check(rows(sure(0.8), told(sure(None), "The sum is wrong", "agent"))[1],
          oppositions_since_stated=1)  # fmt: skip
    check(rows(sure(0.8), told(sure(None), "That is incorrect.", "system"))[1],
          oppositions_since_stated=0)  # fmt: skip
    check(rows(sure(0.8), told(sure(None), "Thanks, go on."))[1], oppositions_since_stated=0)
    check(rows(sure(0.8, "not now", "rejected"), sure(None))[1], oppositions_since_stated=1)


def test_opposition_before_anything_was_stated_opposes_nothing() -> None:
    row = rows(sure(None, "boom", "error"), told(sure(0.8), "That's not right."))[1]
    check(row, oppositions_since_stated=0, stated_confidence_opposed=nan)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("It is likely the first one.", 0.711),
        ("It is very likely the first one.", 0.875),  # the longer expression alone
        ("It is unlikely.", 0.172),
        ("Probably yes; it might be closed.", (0.702 + 0.376) / 2),
        ("I'm not sure.", 0.376),
        ("I am sure, almost certain even.", (0.902 + 0.902) / 2),
        ("I don't think so.", 0.2),
        ("Confidence: high", 0.823),
        ("Certainly! You may go, as soon as possible. Make sure you do.", None),
        ("In May 2024 the hotel was full.", None),
        ("", None),
    ],
)
def test_words_of_probability(text: str, value: float | None) -> None:
    assert spoken_in(Digest(text)) == pytest.approx(value)


def test_spoken_confidence_along_the_run() -> None:
    texts = ["It is likely so.", "Here it is.", "I am certain."]
    first, second, third, _ = rows(*(ac.Step(text=text) for text in texts))
    check(first, spoken_confidence=0.711, spoken_confidence_mean=0.711, spoken_confidence_rise=nan)
    check(second, spoken_confidence=0.711, spoken_confidence_mean=0.711)
    check(third, spoken_confidence=0.996, spoken_confidence_mean=(0.711 + 0.996) / 2)
    check(third, spoken_confidence_rise=0.285, stated_confidence=nan)


PIECES = st.sampled_from(
    ["confidence", ":", " ", "85", "%", "/10", "(0-100)", "is", "sure", "certain", "8", ".", "0.5"]
)


@settings(max_examples=300)
@given(st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=40))
def test_any_text_is_read_within_range(text: str) -> None:
    for found in (stated_in(Digest(text)), spoken_in(Digest(text))):
        assert found is None or 0 <= found <= 1


@pytest.mark.parametrize(
    "piece", ["confidence", "confidence is ", "confidence: = ", "1%", "99/10 "]
)
def test_a_long_text_is_read_in_linear_time(piece: str) -> None:
    text = Digest(piece * (16_000 // len(piece)) + " sure")
    start = time.process_time()
    stated_in(text)
    assert time.process_time() - start < 1
