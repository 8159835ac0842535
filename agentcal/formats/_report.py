"""What a load found: how many runs, what was left out, what was odd, where, and what to do."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

KEPT_PER_KIND = 20
SHOWN_PER_KIND = 3
NO_RUN = "record holds no run"

Severity = Literal["skipped", "note"]


class Issue(BaseModel):
    """One thing that was skipped or is worth knowing.

    ``line`` counts from 1 within a file, ``item`` from 1 within a JSON list. ``count`` says how
    often it occurred within the one run. ``kind`` is a short text that recurs, ``why`` the case at
    hand, ``fix`` what to do about it.
    """

    severity: Severity
    kind: str
    file: str
    line: int | None = None
    item: int | None = None
    run_id: str | None = None
    why: str = ""
    fix: str = ""
    count: int = 1

    @property
    def where(self) -> str:
        """File, line, item and run id as one text."""
        line = f" line {self.line}" if self.line is not None else ""
        item = f" item {self.item}" if self.item is not None else ""
        run = f" (run {self.run_id!r})" if self.run_id is not None else ""
        return f"{self.file}{line}{item}{run}"

    def __str__(self) -> str:
        times = f" ({self.count} times)" if self.count > 1 else ""
        why = f": {self.why}" if self.why else ""
        fix = f"\n    {self.fix}" if self.fix else ""
        return f"{self.where}: {self.kind}{times}{why}{fix}"


class LoadReport(BaseModel):
    """The account of one pass over the files; printable, and plain JSON by ``model_dump_json()``.

    ``counts`` is exact for every kind of issue. ``skips`` and ``notes`` hold the first 20 issues
    of each kind, of which ``str()`` shows three. ``formats`` counts the runs by format,
    ``labelled`` those with an outcome. ``complete`` is false while a pass is going on, was
    abandoned, or has not begun.
    """

    files: int = 0
    files_skipped: int = 0
    read: int = 0
    labelled: int = 0
    skipped: int = 0
    noted: int = 0
    formats: dict[str, int] = Field(default_factory=dict)
    counts: dict[str, int] = Field(default_factory=dict)
    skips: list[Issue] = Field(default_factory=list)
    notes: list[Issue] = Field(default_factory=list)
    complete: bool = False

    def add(self, issue: Issue) -> None:
        """Count an issue and keep it if it is among the first of its kind."""
        self.counts[issue.kind] = self.counts.get(issue.kind, 0) + issue.count
        if issue.severity == "skipped":
            self.skipped += issue.count
            kept = self.skips
        else:
            self.noted += issue.count
            kept = self.notes
        if sum(other.kind == issue.kind for other in kept) < KEPT_PER_KIND:
            kept.append(issue)

    def _section(self, title: str, total: int, kept: list[Issue]) -> list[str]:
        lines = [f"{title} ({total}):"] if kept else []
        for kind in dict.fromkeys(issue.kind for issue in kept):
            shown = [issue for issue in kept if issue.kind == kind][:SHOWN_PER_KIND]
            rest = self.counts[kind] - sum(issue.count for issue in shown)
            lines += [f"  {issue}" for issue in shown]
            lines += [f"  ... and {rest} more: {kind}"] if rest else []
        return lines

    def __str__(self) -> str:
        formats = ", ".join(f"{name} {n}" for name, n in sorted(self.formats.items()))
        head = (
            f"Read {_many(self.read, 'run')} ({self.labelled} with an outcome) from "
            + _many(self.files, "file")
            + (f" [{formats}]" if formats else "")
            + f"; skipped {self.skipped}; {_many(self.noted, 'note')}."
            + ("" if self.complete else " Not finished: iterate over the runs to the end.")
        )
        skips = self._section("Skipped", self.skipped, self.skips)
        return "\n".join([head, *skips, *self._section("Notes", self.noted, self.notes)])


def _many(count: int, word: str) -> str:
    return f"{count} {word}" + "s" * (count != 1)
