"""The risk-coverage curve: how often do runs fail if only the surest ones go ahead?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from agentcal.errors import ConfigError
from agentcal.metrics import aurc, risk_at_coverage, risk_coverage_curve
from agentcal.report._figure import (
    GREY,
    STYLES,
    caption,
    dress,
    headline,
    legend_above,
    new_figure,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_FEWEST_ROWS = 10

Curves: TypeAlias = Mapping[str, tuple[ArrayLike, ArrayLike]]


def risk_coverage(
    curves: Curves,
    *,
    title: str | None = None,
    at: float = 0.5,
) -> Figure:
    """Failure rate among the most confident share of runs, one line a predictor.

    ``curves`` maps a name to ``(p, y)``, arrays of one length; the first is drawn strongest. The
    default title compares the first two at coverage ``at``. The leftmost points, fewer than ten
    runs, are not drawn. Raises ``ConfigError`` for no curve or over seven.
    """
    if not 0 < len(curves) <= len(STYLES):
        raise ConfigError(f"risk_coverage draws 1 to {len(STYLES)} curves, got {len(curves)}")
    if not 0 < at <= 1:
        raise ConfigError(f"at is a coverage in (0, 1], got {at}")
    figure = new_figure(7.2, 5.4)
    axes = figure.subplots()
    dress(axes, xlim=(0, 1.005), xlabel="share of runs acted on, the most confident first")
    axes.set_ylabel("share of those that fail")
    for place, (name, (p, y)) in enumerate(curves.items()):
        _draw(axes, name, p, y, place)
    _draw_base_rate(axes, curves)
    axes.set_ylim(bottom=0)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:.0%}")
    legend_above(axes, columns=2)
    headline(figure, title or _finding(curves, at), width=66)
    caption(figure, _small_print(curves), width=104)
    return figure


def _draw(axes: Axes, name: str, p: ArrayLike, y: ArrayLike, place: int) -> None:
    curve = risk_coverage_curve(p, y)
    shown = slice(min(_FEWEST_ROWS, curve.risk.size) - 1, None)
    colour, dashes = STYLES[place]
    axes.plot(
        curve.coverage[shown],
        curve.risk[shown],
        color=colour,
        linestyle=dashes,
        linewidth=2.6 if place == 0 else 1.6,
        zorder=3 - place / 10,
        label=f"{name} (area {aurc(p, y):.3f})",
    )


def _draw_base_rate(axes: Axes, curves: Curves) -> None:
    rates = {round(1 - float(np.asarray(y).mean()), 9) for _, y in curves.values()}
    if len(rates) == 1:
        (rate,) = rates
        label = f"no ranking: {rate:.0%} fail"
        axes.axhline(rate, color=GREY, linewidth=1.2, linestyle=(0, (2, 2)), zorder=1, label=label)


def _finding(curves: Curves, at: float) -> str:
    share = "everything" if at == 1 else f"the surest {at:.0%}"
    found = [
        f"{risk_at_coverage(p, y, at):.0%} fail with {name}"
        for name, (p, y) in list(curves.items())[:2]
    ]
    return f"Acting on {share} of the runs: {', '.join(found)}"


def _small_print(curves: Curves) -> str:
    sizes = sorted({np.size(p) for p, _ in curves.values()})
    runs = f"{sizes[0]}" if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
    return (
        f"{runs} runs. Area: mean failure rate over all shares (AURC), lower is better. Runs of "
        f"equal confidence count in random order; shares under {_FEWEST_ROWS} runs are not drawn."
    )
