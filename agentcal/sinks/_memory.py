"""Runs kept in a list: for notebooks and tests."""

from __future__ import annotations

from agentcal.trajectory import Trajectory


class MemorySink:
    """Keeps every run in ``runs``, in the order in which they ended, until you clear the list."""

    def __init__(self) -> None:
        self.runs: list[Trajectory] = []

    def write(self, run: Trajectory) -> None:
        """Append the run."""
        self.runs.append(run)

    def close(self) -> None:
        """Nothing to close; ``runs`` stays."""
