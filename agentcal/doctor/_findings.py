"""From counters to findings: what is missing or thin, what that costs, what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, get_args

from agentcal.doctor._advice import advice, hopeless, table
from agentcal.doctor._diagnosis import Arrivals, Finding, Outcomes, Severity, SignalShare
from agentcal.doctor._folded import Folded
from agentcal.doctor._origin import LIVE
from agentcal.doctor._reference import needing
from agentcal.doctor._signals import BY_NAME
from agentcal.doctor._tally import Tally
from agentcal.features import FAMILY_OF
from agentcal.formats import LoadReport

SUBJECTS: Final = ("runs", "turns", "records", "gaps", "classes", "groups")
"""What a finding may be about that is no signal."""

FEWEST_RUNS: Final = 10
FEWEST_GROUPS: Final = 2
USEFUL_RUNS: Final = 100
COMFORTABLE_GROUPS: Final = 30
_MANY_GAPS = 0.2


@dataclass(frozen=True, slots=True)
class Evidence:
    """What findings are made from. ``labels``: outcomes should be there already."""

    tally: Tally
    folded: Folded
    origins: tuple[str, ...]
    labels: bool
    load: LoadReport | None = None
    arrivals: Arrivals | None = None


def findings(seen: Evidence) -> list[Finding]:
    """The gravest first; within a severity in the order of the signals."""
    if not seen.tally.runs:
        return [_nothing(seen)]
    found = [*_labels(seen), *_whole(seen), *_signals(seen)]
    order: tuple[Severity, ...] = get_args(Severity)
    return sorted(found, key=lambda finding: order.index(finding.severity))


def _finding(seen: Evidence, severity: Severity, about: str, what: str) -> Finding:
    models = seen.tally.models.counts()
    told = advice(about, seen.origins, models)
    return Finding(severity=severity, about=about, what=what, cost=table()[about].cost, advice=told)


def _nothing(seen: Evidence) -> Finding:
    got = seen.arrivals
    if got is None:
        return _finding(seen, "blocking", "runs", "no run could be read")
    what = (
        f"{got.spans} spans arrived, but none of an agent, a model or a tool"
        if got.spans
        else "no span arrived"
    )
    how = advice("runs", [LIVE])
    return _finding(seen, "blocking", "runs", what).model_copy(update={"advice": how})


def _labels(seen: Evidence) -> Iterator[Finding]:
    said = seen.tally.outcomes()
    if not seen.labels:
        if not said.labelled:
            what = "no run has an outcome yet; fit and evaluate need them"
            yield _finding(seen, "nice to have", "outcome", what)
        return
    yield from _enough_runs(seen, said)
    if said.labelled and said.succeeded in (0, said.labelled):
        which = "succeeded" if said.succeeded else "failed"
        what = f"all {said.labelled} labelled runs {which} at success_at={said.success_at:g}"
        yield _finding(seen, "blocking", "classes", what)
    if said.labelled and said.groups < COMFORTABLE_GROUPS:
        fit = said.groups >= FEWEST_GROUPS
        what = (
            f"the labelled runs are of {said.groups} different task{'s' * (said.groups != 1)}: "
            f"fit needs {FEWEST_GROUPS}, aim for {COMFORTABLE_GROUPS} or more"
        )
        yield _finding(seen, "costly" if fit else "blocking", "groups", what)


def _enough_runs(seen: Evidence, said: Outcomes) -> Iterator[Finding]:
    runs = seen.tally.runs
    counted = f"{said.labelled} of {runs} runs have an outcome"
    if said.labelled < FEWEST_RUNS:
        what = f"{counted}: fit needs {FEWEST_RUNS}, and about {USEFUL_RUNS} to be useful"
        yield _finding(seen, "blocking", "outcome", what)
    elif said.labelled < USEFUL_RUNS:
        what = f"{counted}: about {USEFUL_RUNS} are needed to be useful"
        yield _finding(seen, "costly", "outcome", what)
    elif said.labelled < BY_NAME["outcome"].enough * runs:
        yield _finding(seen, "nice to have", "outcome", counted)


def _whole(seen: Evidence) -> Iterator[Finding]:
    """Whether the record is whole, whatever it carries."""
    tally, load = seen.tally, seen.load
    if not tally.turns:
        yield _finding(seen, "blocking", "turns", f"none of {tally.runs} runs has a model turn")
    if load is not None and load.skipped:
        copies = load.counts.get("duplicate run id", 0)
        what = f"{load.skipped} records were skipped, {copies} of them copies of a run"
        yield _finding(seen, "costly", "records", what)
    if tally.with_gaps:
        grave: Severity = "costly" if tally.with_gaps > _MANY_GAPS * tally.runs else "nice to have"
        what = f"the record of {tally.with_gaps} of {tally.runs} runs is known to lack something"
        yield _finding(seen, grave, "gaps", what)


def _signals(seen: Evidence) -> Iterator[Finding]:
    shares = {told.name: told for told in seen.tally.signals()}
    named = shares["model"].share == 1
    for told in shares.values():
        signal = BY_NAME[told.name]
        share = told.share
        if told.name == "outcome" or share is None or not _lacks(share, signal.enough):
            continue
        if signal.severity is None:
            continue
        helpless = named and hopeless(told.name, seen.tally.models.counts())
        severity: Severity = "nice to have" if helpless else signal.severity
        found = _finding(seen, severity, told.name, _missing(told))
        need = needing(told.name)
        # Where a signal is there in part, what is dark is dark for another reason.
        dark = frozenset() if told.has else need & seen.folded.dark()
        yield found.model_copy(
            update={
                "dark": _by_family(dark),
                "needing": _by_family(need),
                "blank": seen.folded.blank(need),
            }
        )


def _lacks(share: float, enough: float) -> bool:
    return share == 0 or share < enough


def _missing(told: SignalShare) -> str:
    if not told.has:
        return f"{told.title}: in none of {told.of} {told.per}"
    return f"{told.title}: in {told.has} of {told.of} {told.per} ({told.share:.0%})"


def _by_family(features: frozenset[str]) -> dict[str, int]:
    return dict(Counter(FAMILY_OF[name] for name in sorted(features)).most_common())
