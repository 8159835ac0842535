"""Figures in the documents are those of the last runs of the benchmarks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks import ablation_table, alarms_table, cost_table, replay_table, tables
from benchmarks.pages import DOCS, README, between, figures, rewrite

WRITTEN: list[tuple[Path, str, str, Callable[[Any], str]]] = [
    (README, "quality", "quality", tables.short),
    (README, "replay", "replay", replay_table.excerpt),
    (DOCS / "replay.md", "replay", "replay", replay_table.markdown),
    (DOCS / "features.md", "ablation", "ablation", ablation_table.markdown),
    (DOCS / "alarms.md", "alarms", "alarms", alarms_table.markdown),
    (DOCS / "cost.md", "speed", "speed", cost_table.speed),
    (DOCS / "cost.md", "overhead", "overhead", cost_table.overhead),
]


@pytest.mark.parametrize(
    ("page", "mark", "name", "write"), WRITTEN, ids=[f"{w[0].name}-{w[1]}" for w in WRITTEN]
)
def test_what_is_published_is_what_the_figures_say(
    page: Path, mark: str, name: str, write: Callable[[Any], str]
) -> None:
    assert between(page, mark) == write(figures(name)).strip()


def test_every_row_of_quality_is_published() -> None:
    published = (DOCS / "quality.md").read_text(encoding="utf-8")
    assert published == tables.page(figures("quality"))


def test_only_what_stands_between_the_markers_is_rewritten(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- a:begin -->\nold\n<!-- a:end -->\nafter\n", encoding="utf-8")
    for _ in range(2):
        rewrite(page, "a", "\nnew\n\n")
        text = page.read_text(encoding="utf-8")
        assert text == "before\n<!-- a:begin -->\n\nnew\n\n<!-- a:end -->\nafter\n"
        assert between(page, "a") == "new"
    with pytest.raises(ValueError, match="unpack"):
        rewrite(page, "b", "new")
    assert page.read_text(encoding="utf-8") == text
