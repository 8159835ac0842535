"""Runs handed to a function."""

from __future__ import annotations

from collections.abc import Callable

from agentcal.trajectory import Trajectory


class CallbackSink:
    """Calls ``use`` with every run, in the recorder's writer thread."""

    def __init__(self, use: Callable[[Trajectory], object]) -> None:
        self._use = use

    def write(self, run: Trajectory) -> None:
        """Hand the run over; what the function returns is ignored."""
        self._use(run)

    def close(self) -> None:
        """Nothing to close."""
