"""The tables behind the doctor: signals, advice, and which features need what."""

from __future__ import annotations

import pytest

from agentcal.calibration import _fit
from agentcal.doctor import _findings
from agentcal.doctor._advice import ANY, advice, hopeless, table
from agentcal.doctor._origin import LIVE
from agentcal.doctor._reference import needing, reference
from agentcal.doctor._signals import BY_NAME, SIGNALS
from agentcal.features import FAMILY_OF
from agentcal.formats import FORMATS
from agentcal.telemetry._dialects import DIALECTS

ORIGINS = {known.name for known in (*FORMATS, *DIALECTS)} | {LIVE, ANY}
UNUSED = {"reasoning"}


def test_every_advice_is_about_a_signal_or_a_subject() -> None:
    assert table().keys() == (BY_NAME.keys() - UNUSED) | set(_findings.SUBJECTS)


@pytest.mark.parametrize("about", list(table()))
def test_every_text_is_for_a_known_origin(about: str) -> None:
    entry = table()[about]
    assert ANY in entry.how
    assert entry.how.keys() <= ORIGINS
    assert all(text and text == text.strip() for text in (*entry.how.values(), entry.cost or "-"))


def test_the_figures_are_those_of_fit() -> None:
    assert _findings.FEWEST_RUNS == _fit._FEWEST_RUNS
    assert _findings.FEWEST_GROUPS == _fit._FEWEST_GROUPS
    assert _findings.COMFORTABLE_GROUPS == _fit._COMFORTABLE_GROUPS


@pytest.mark.parametrize("signal", [s for s in SIGNALS if s.strip], ids=lambda s: s.name)
def test_the_reference_run_carries_what_is_taken_out_of_it(signal: object) -> None:
    has, of = signal.count(reference())  # type: ignore[attr-defined]
    assert 0 < has <= of
    stripped = reference()
    signal.strip(stripped)  # type: ignore[attr-defined]
    assert signal.count(stripped)[0] < has  # type: ignore[attr-defined]
    assert bool(needing(signal.name)) == (signal.name not in UNUSED)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("signal", "family"), [("logprobs", "logprobs"), ("turn_agents", "agents")]
)
def test_a_family_goes_with_its_signal(signal: str, family: str) -> None:
    assert {FAMILY_OF[name] for name in needing(signal)} == {family}
    assert needing(signal) == {name for name, of in FAMILY_OF.items() if of == family}


def test_a_feature_of_alternatives_needs_both() -> None:
    assert {"token_entropy", "token_margin"} <= needing("top_logprobs") < needing("logprobs")


def test_advice_is_by_origin_and_by_model() -> None:
    told = advice("logprobs", ["genai", "whowhen", "agentdojo"], ["claude-sonnet-5", "gpt-x"])
    assert [one.where for one in told] == ["genai", ANY, "claude"]
    assert advice("logprobs", [])[0].where == ANY
    assert hopeless("logprobs", ["Claude-3", "gemini-pro"])
    assert not hopeless("logprobs", ["claude-3", "gpt-4o"])
    assert not hopeless("logprobs", [])
