"""Wording on turns whose values are worked out by hand."""

from __future__ import annotations

import math

import pytest

import agentcal as ac
from agentcal.features import FEATURES, decision_points
from agentcal.features.wording import Wording

NAMES = [feature.name for feature in FEATURES]
nan = math.nan


def rows(*steps: ac.Step) -> list[dict[str, float]]:
    run = ac.Trajectory(run_id="r", task="t", steps=list(steps))
    return [dict(zip(NAMES, p.vector.tolist(), strict=True)) for p in decision_points(run)]


def check(row: dict[str, float], **expected: float) -> None:
    assert {name: row[name] for name in expected} == pytest.approx(expected, nan_ok=True)


SORRY = ac.Step(text="I'm sorry, I could not find it.\nCould you confirm?")
DONE = ac.Step(text="**Done**: I will send 42 mails next, but maybe late")


def test_words_by_category() -> None:
    first, second, _ = rows(SORRY, DONE)
    check(
        first, text_apologies=1, text_inability=1, text_questions_back=2, text_hedges=0,
        text_success_claims=0, text_plans=0, text_certainty=0, text_trouble=0, text_concessions=0,
        text_corrections=0,
    )  # fmt: skip
    # done; i will, next; but; maybe
    check(
        second, text_success_claims=1, text_plans=2, text_concessions=1, text_hedges=1,
        text_apologies=0, text_inability=0, text_questions_back=0,
    )  # fmt: skip
    check(second, text_inability_share=1 / 2, text_questions_back_share=1 / 2)
    check(second, text_plans_share=1 / 2, text_hedges_share=1 / 2, text_success_claims_share=1 / 2)


def test_style() -> None:
    first, second, _ = rows(SORRY, DONE)
    # words: i'm sorry i could not find it / could you confirm
    check(
        first, text_question_end=1, text_question_end_share=1, text_cut_off=0, text_digit_share=0,
        text_markup_share=0, text_quote_marks=1, text_first_line_chars=31,
        text_words_per_line=10 / 2, text_distinct_share=9 / 10, text_first_person_share=2 / 10,
        text_second_person_share=1 / 10, text_length_ratio=nan,
    )  # fmt: skip
    size = len(DONE.text)
    # words: done i will send mails next but maybe late
    check(
        second, text_question_end=0, text_question_end_share=1 / 2, text_cut_off=1,
        text_digit_share=2 / size, text_markup_share=4 / size, text_words_per_line=9,
        text_length_ratio=9 / 10, text_distinct_share=1, text_first_person_share=1 / 9,
    )  # fmt: skip


def test_an_empty_text_has_no_style_and_keeps_the_shares() -> None:
    row = rows(SORRY, ac.Step(tool_calls=[ac.ToolCall(name="f")]))[1]
    check(row, text_apologies=0, text_inability_share=1 / 2, text_distinct_share=nan)
    check(row, text_length_ratio=0, text_cut_off=0, text_question_end=0)


def test_thoughts_are_not_said() -> None:
    thought = ac.Step(text="<thinking>maybe it failed?</thinking>\nAll done.")
    plain, with_thought = rows(ac.Step(text="All done."))[0], rows(thought)[0]
    names = [f.name for f in Wording.features if f.name != "thinking_share"]
    check(with_thought, **{name: plain[name] for name in names})
    check(with_thought, thinking_share=1)
    check(plain, thinking_share=0)
    open_ended = rows(ac.Step(text="<think>maybe it failed"))[0]
    check(open_ended, thinking_share=1, text_hedges=0, text_trouble=0)


def test_what_the_user_says_in_mid_run() -> None:
    ask = ac.Step(text="Shall I go on?")
    thanks = ac.Step(inputs=[ac.Message(role="user", text="Thanks, but that is wrong.")], text="x")
    yes = ac.Step(inputs=[ac.Message(role="user", text="Yes, go ahead.")], text="x")
    nobody = ac.Step(inputs=[ac.Message(role="system", text="No, thanks.")], text="x")
    first, second, third, fourth, _ = rows(ask, thanks, yes, nobody)
    check(first, user_thanks=nan, user_consent=nan, user_pushback=nan)
    check(second, user_thanks=1, user_consent=0, user_pushback=2)
    for row in (third, fourth):
        check(row, user_thanks=0, user_consent=2, user_pushback=0)


def test_an_error_is_trouble_and_another_try_is_a_correction() -> None:
    broke = ac.Step(text="The tool returned an error: invalid date.")
    again = ac.Step(text="Oops, I misread the date. Let me try the other one instead.")
    first, second, _ = rows(broke, again)
    # error, invalid
    check(first, text_trouble=2, text_corrections=0, text_corrections_share=0)
    # oops, misread, let me try, instead
    check(second, text_trouble=0, text_corrections=4, text_corrections_share=1 / 2)


def test_a_text_that_comes_again_counts_again() -> None:
    first, second, third, _ = rows(SORRY, SORRY, DONE)
    check(second, text_question_end=1, text_question_end_share=1, text_length_ratio=1)
    check(second, text_inability_share=1, text_apologies=first["text_apologies"])
    check(third, text_question_end_share=2 / 3, text_inability_share=2 / 3)


def test_before_any_turn_everything_is_missing() -> None:
    assert all(math.isnan(rows()[0][feature.name]) for feature in Wording.features)
