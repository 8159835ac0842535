"""Figures of runs that were made, and the parts of pages that are written from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[1]
DOCS = _ROOT / "docs"
README = _ROOT / "README.md"


def figures(name: str) -> Any:
    """What a benchmark has written last."""
    path = _ROOT / "benchmarks" / "results" / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8"))


def rewrite(page: Path, mark: str, text: str) -> None:
    """Put ``text`` between ``<!-- mark:begin -->`` and ``<!-- mark:end -->``; the rest stays.

    Raises ``ValueError`` where the page has not one of each.
    """
    head, _, tail = _parts(page, mark)
    begin, end = _marks(mark)
    page.write_text(f"{head}{begin}\n\n{text.strip()}\n\n{end}{tail}", encoding="utf-8")


def between(page: Path, mark: str) -> str:
    """What stands between the markers now. Raises ``ValueError`` as :func:`rewrite`."""
    return _parts(page, mark)[1].strip()


def _parts(page: Path, mark: str) -> tuple[str, str, str]:
    begin, end = _marks(mark)
    head, rest = page.read_text(encoding="utf-8").split(begin)
    text, tail = rest.split(end)
    return head, text, tail


def _marks(mark: str) -> tuple[str, str]:
    return f"<!-- {mark}:begin -->", f"<!-- {mark}:end -->"
