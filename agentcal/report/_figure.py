"""What all pictures share: how a figure is made, coloured, captioned and saved."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

from agentcal.errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette: told apart under every common colour blindness, and in grey by lightness.
BLUE, VERMILLION, GREEN = "#0072B2", "#D55E00", "#009E73"
ORANGE, SKY, PURPLE = "#E69F00", "#56B4E9", "#AA4499"
INK, GREY, PALE = "#222222", "#6B6B6B", "#E3E3E3"

STYLES = [
    (BLUE, "-"),
    (VERMILLION, (0, (6, 2))),
    (GREEN, (0, (3, 1.5))),
    (ORANGE, (0, (1.2, 1.2))),
    (PURPLE, (0, (6, 2, 1.2, 2))),
    (SKY, "-"),
    (INK, (0, (3, 1.5, 1.2, 1.5))),
]
"""Colour and dashes of one line after the other, the first drawn strongest."""

SUFFIXES = (".pdf", ".png", ".svg")


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of that size in inches."""
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 - an extra
        from matplotlib.layout_engine import ConstrainedLayoutEngine  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError("pictures need matplotlib: pip install 'agentcal[plots]'") from error
    layout = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.08)
    return Figure(figsize=(width, height), layout=layout, facecolor="white")


def dress(axes: Axes, **settings: Any) -> None:
    """Axes without a box, on a pale grid; ``settings`` as for ``Axes.set``."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GREY)
    axes.grid(color=PALE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=GREY, labelsize=9)
    axes.set(**settings)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set(color=INK, fontsize=10)


def legend_above(axes: Axes, columns: int) -> None:
    """A legend between title and axes, where no curve can run into it."""
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(-0.01, 1.0),
        ncols=columns,
        frameon=False,
        fontsize=9,
        labelcolor=INK,
        borderaxespad=0.2,
        columnspacing=1.6,
    )


def headline(figure: Figure, title: str, *, width: int) -> None:
    """The title, wrapped at ``width`` characters, at the left edge."""
    figure.suptitle(
        fill(title, width), x=0.012, ha="left", fontsize=12, fontweight="bold", color=INK
    )


def caption(figure: Figure, text: str, *, width: int) -> None:
    """Small print below the picture, wrapped at ``width`` characters, lines kept."""
    wrapped = "\n".join(fill(line, width) for line in text.splitlines())
    figure.supxlabel(wrapped, x=0.012, ha="left", fontsize=8.5, color=GREY, linespacing=1.35)


def save(figure: Figure, path: str | Path, *, dpi: int = 160) -> Path:
    """Write ``figure`` as PNG, SVG or PDF, by suffix, making folders as needed; returns the path.

    Raises ``ConfigError`` for another suffix or a place that cannot be written.
    """
    target = Path(path)
    if target.suffix.lower() not in SUFFIXES:
        raise ConfigError(f"{target}: a picture's name ends in one of {', '.join(SUFFIXES)}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(target, dpi=dpi)
    except OSError as error:
        raise ConfigError(f"cannot write {target}: {error}") from error
    return target
