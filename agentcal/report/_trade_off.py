"""Failures stopped against successes interrupted, as more runs are interrupted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from agentcal.errors import ConfigError
from agentcal.report._figure import (
    GREY,
    INK,
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

_MARKERS = ("D", "s", "^", "v", "o", "P", "X")

Curves: TypeAlias = Mapping[str, tuple[ArrayLike, ArrayLike]]
Points: TypeAlias = Mapping[str, tuple[float, float]]


def trade_off(
    curves: Curves,
    points: Points | None = None,
    *,
    title: str | None = None,
    at: float = 0.2,
    note: str = "",
) -> Figure:
    """Share of failures stopped against share of successes interrupted, one line a method.

    ``curves`` maps a name to ``(interrupted, stopped)``, rising arrays of one length in [0, 1]; the
    first is drawn strongest. ``points``: rules with a budget of their own, one such pair each. The
    default title compares the first two curves where they interrupt the share ``at`` of successes.
    ``note`` is added to the small print. Raises ``ConfigError`` for no curve, or over seven of
    either.
    """
    points = {} if points is None else points
    if not 0 < len(curves) <= len(STYLES) or len(points) > len(_MARKERS):
        raise ConfigError(
            f"trade_off draws 1 to {len(STYLES)} curves and up to {len(_MARKERS)} points, got "
            f"{len(curves)} and {len(points)}"
        )
    if not 0 < at <= 1:
        raise ConfigError(f"at is a share of the successes in (0, 1], got {at}")
    figure = new_figure(6.4, 6.4)
    axes = figure.subplots()
    dress(axes, xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
    axes.set(xlabel="share of successful runs that are interrupted")
    axes.set(ylabel="share of failing runs that are stopped")
    _draw(axes, curves, points)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:.0%}")
    legend_above(axes, columns=2)
    headline(figure, title or _finding(curves, at), width=58)
    caption(figure, f"{_SMALL_PRINT} {note}".rstrip(), width=98)
    return figure


_SMALL_PRINT = (
    "Along a line more and more runs are interrupted. What a person or a check makes of an "
    "interruption is not drawn: no recorded run can tell."
)


def _draw(axes: Axes, curves: Curves, points: Points) -> None:
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=(0, (2, 2)), label="no skill")
    for place, (name, (interrupted, stopped)) in enumerate(curves.items()):
        colour, dashes = STYLES[place]
        width = 2.6 if place == 0 else 1.6
        axes.plot(
            np.asarray(interrupted),
            np.asarray(stopped),
            color=colour,
            linestyle=dashes,
            linewidth=width,
            zorder=3 - place / 10,
            label=name,
        )
    for marker, (name, (x, y)) in zip(_MARKERS, points.items(), strict=False):
        axes.plot(
            x, y, marker=marker, markersize=8, color=INK, linestyle="none", zorder=4, label=name
        )


def _finding(curves: Curves, at: float) -> str:
    found = [
        (name, f"{np.interp(at, np.asarray(x), np.asarray(y)):.0%}")
        for name, (x, y) in list(curves.items())[:2]
    ]
    first, share = found[0]
    beside = "".join(f", {other} with {name}" for name, other in found[1:])
    lead = f"Interrupting {at:.0%} of the successes stops {share} of the failures"
    return f"{lead} with {first}{beside}"
