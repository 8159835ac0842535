"""Decisions and reviews in a file of their own: what a shadow deployment leaves to be studied."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import to_json

from agentcal._json import scrub
from agentcal._lines import LineFile
from agentcal.policy import Decision, TurnDecision
from agentcal.recorder._info import RunInfo
from agentcal.recorder._quiet import QuietObserver
from agentcal.recorder._review import Answer, Review

_LOG = logging.getLogger("agentcal")


class LoggedReview(BaseModel):
    """What somebody answered, without their words; see :class:`Review`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    answer: Answer
    by: str
    waited_s: float | None


class LoggedDecision(BaseModel):
    """One line of the log: a decision, or the ``review`` of one. ``at``: when it was written.

    ``conversation``, ``agent`` and ``model`` are those of the run, as far as they were known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: datetime
    conversation: str | None
    agent: str | None
    model: str | None
    decision: Decision
    review: LoggedReview | None = None


class DecisionLog(QuietObserver):
    """An observer that appends every decision and every review to ``path``, one JSON line each.

    There are no messages, no arguments and no words of reviewers in it, only digests of arguments
    (in the keys of decisions), names, numbers and the reasons that policies give. To be read with
    :func:`read_decisions`.

    Lines are appended in the thread of the agent, so that a decision is in the file before its tool
    runs; a process that is killed leaves whole lines. ``max_bytes`` and ``keep`` are those of
    :class:`agentcal.sinks.JsonlSink`: files are rotated and **the oldest deleted**.

    Raises :class:`~agentcal.ConfigError` where the file cannot be opened, is to be gzipped, or a
    number is out of range.
    """

    def __init__(
        self, path: str | Path, *, max_bytes: int | None = 256 * 2**20, keep: int = 8
    ) -> None:
        self._file = LineFile(path, max_bytes=max_bytes, keep=keep)
        self.path = self._file.path

    def decided(self, run: RunInfo, decision: TurnDecision) -> None:
        """Append the decisions of a turn, all at once."""
        self._file.append(b"".join(_line(run, one) for one in decision.decisions))

    def reviewed(self, run: RunInfo, review: Review) -> None:
        """Append the review, with the decision that it is about."""
        logged = LoggedReview(answer=review.answer, by=review.by, waited_s=review.waited_s)
        self._file.append(_line(run, review.decision, logged))

    def close(self) -> None:
        """Close the file; the next decision opens it again."""
        self._file.close()


def read_decisions(path: str | Path) -> Iterator[LoggedDecision]:
    """Read a :class:`DecisionLog`, the rotated files first: the oldest line comes first.

    Lines that are damaged, or were written by another agentcal, are left out; a warning says how
    many. Raises ``FileNotFoundError`` where there is no such file.
    """
    damaged = 0
    for file in _files(Path(path)):
        with file.open("rb") as lines:
            for line in lines:
                try:
                    yield LoggedDecision.model_validate_json(line)
                except ValidationError:
                    damaged += 1
    if damaged:
        _LOG.warning("%s: %d lines are no decisions and were left out", path, damaged)


def _files(path: Path) -> list[Path]:
    """The file and those that it was rotated to, the oldest first."""
    mark = f"{path.stem}."
    numbered = {
        int(number): file
        for file in path.parent.glob(f"*{path.suffix}")
        if file.stem.startswith(mark) and (number := file.stem.removeprefix(mark)).isdecimal()
    }
    found = [numbered[number] for number in sorted(numbered, reverse=True)]
    if path.exists() or not found:
        found.append(path)
    return found


def _line(run: RunInfo, decision: Decision, review: LoggedReview | None = None) -> bytes:
    entry = LoggedDecision(
        at=datetime.now(UTC),
        conversation=run.conversation,
        agent=run.agent,
        model=run.model,
        decision=decision,
        review=review,
    )
    # A confidence that is no number is kept as one, for it is why the decision was what it was.
    return to_json(scrub(entry.model_dump(mode="json")), inf_nan_mode="strings") + b"\n"
