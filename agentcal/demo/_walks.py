"""Three runs, picked by rule, to see how the confidence moved and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from agentcal.calibration import Calibrator, Confidence, Reason
from agentcal.evaluation import ScoredRun
from agentcal.features import decision_points
from agentcal.trajectory import Step, Trajectory

_WIDTH = 60
_ALL = 10_000
_HARDLY = 0.02


class Pick(NamedTuple):
    """A run, what was said about it, and why it was picked."""

    title: str
    rule: str
    run: Trajectory
    scored: ScoredRun


def pick(runs: Sequence[Trajectory], scored: Sequence[ScoredRun], base_rate: float) -> list[Pick]:
    """A success, a failure seen coming, and the worst miss: whichever of them there are.

    ``runs`` and ``scored`` are of one length and order. Ties go to the first.
    """
    rules: tuple[tuple[str, str, Callable[[ScoredRun], float | None]], ...] = (
        (
            "A run that went well",
            "the success whose confidence rose most from its first turn to its end",
            lambda s: s.finished.value - s.points[0].value if s.success and s.points else None,
        ),
        (
            "A failure seen coming",
            "the failure with most turns left when its confidence had halved the base rate",
            lambda s: _warning(s, base_rate),
        ),
        (
            "An honest miss",
            "the run about which the last confidence was most wrong",
            lambda s: abs(s.finished.value - s.success),
        ),
    )
    picks: list[Pick] = []
    for title, rule, worth in rules:
        taken = {p.scored.run_id for p in picks}
        found = [(worth(s), k) for k, s in enumerate(scored) if s.run_id not in taken]
        known = [(value, -k) for value, k in found if value is not None]
        if known:
            k = -max(known)[1]
            picks.append(Pick(title, rule, runs[k], scored[k]))
    return picks


def _warning(run: ScoredRun, base_rate: float) -> float | None:
    """Turns that were left when the confidence first fell below half the base rate.

    None for successes, and for runs that looked bad from the first turn or never did. Among runs
    with as many turns left, those count more that looked better at first.
    """
    if run.success or not run.points or run.points[0].value < base_rate / 2:
        return None
    low = (k for k, point in enumerate(run.points) if point.value < base_rate / 2)
    first = next(low, None)
    return None if first is None else len(run.points) - 1 - first + run.points[0].value


def tell(number: int, chosen: Pick, calibrator: Calibrator) -> Iterator[str]:
    """The walk through one run as lines of text."""
    run, scored = chosen.run, chosen.scored
    yield f"{number}. {chosen.title} ({chosen.rule})"
    yield f"   Task: {_short(run.task, 100)}"
    last: Confidence | None = None
    before: list[Reason] = []
    confidences = (*scored.points, scored.finished)
    for k, (point, c) in enumerate(zip(decision_points(run), confidences, strict=True)):
        step = None if c.kind == "finished" else run.steps[k]
        now = calibrator.reasons(
            point, top=_ALL, agent=run.agent, model=run.model, family=run.family, run=run
        )
        # Kinds of decision have models of their own, so their effects cannot be subtracted.
        same = last is not None and last.kind == c.kind
        rise = None if last is None else c.value - last.value
        yield _headline(c, step)
        for effect, text in moves(before if same else [], now, rise):
            yield f"{'':11}{effect:+.1f}  {text}"
        yield from (f"{'':11}came back: {line}" for line in _results(step))
        last, before = c, now
    yield f"   It {'succeeded' if scored.success else 'failed'}."


def moves(
    before: Sequence[Reason], now: Sequence[Reason], rise: float | None, most: int = 2
) -> list[tuple[float, str]]:
    """What moved the confidence by ``rise`` since the point before: effects in log odds, and texts.

    Of the effects ``now``, less those ``before``, that go the way of ``rise``, the largest; nothing
    where the confidence hardly moved. Without ``rise``: what sets this point apart from the
    average.
    """
    if rise is None:
        return [(reason.effect, reason.text) for reason in now[:most]]
    if abs(rise) < _HARDLY:
        return []
    was = {reason.feature: reason.effect for reason in before}
    changes = [(reason.effect - was.get(reason.feature, 0.0), reason.text) for reason in now]
    agreeing = [(change, text) for change, text in changes if change * rise > 0]
    return sorted(agreeing, key=lambda item: -abs(item[0]))[:most]


def _headline(c: Confidence, step: Step | None) -> str:
    where = "end" if step is None else f"turn {c.turn}"
    what = "the run is over" if step is None else _action(step)
    return f"   {where:<8}{c.value:4.0%} [{c.low:.0%} to {c.high:.0%}]  {_bar(c.value)}  {what}"


def labels(run: Trajectory) -> list[str]:
    """What was about to happen at each decision point, in a word; the last one is the end."""
    return [", ".join(c.name for c in step.tool_calls) or "answer" for step in run.steps] + [""]


def _bar(value: float, width: int = 10) -> str:
    full = round(value * width)
    return "█" * full + "░" * (width - full)


def _action(step: Step) -> str:
    if not step.tool_calls:
        return f"about to answer: {_short(step.text)}"
    calls = (
        f"{call.name}({', '.join(str(v) for v in (call.arguments or {}).values())})"
        for call in step.tool_calls
    )
    return f"about to call {_short('; '.join(calls))}"


def _results(step: Step | None) -> Iterator[str]:
    for call in step.tool_calls if step else ():
        text = "nothing" if call.result is None else _short(call.result)
        yield f"{call.status}: {text}" if call.status != "ok" else text


def _short(text: str, width: int = _WIDTH) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= width else flat[: width - 1] + "…"
