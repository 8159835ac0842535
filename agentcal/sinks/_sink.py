"""What a place for finished runs must be able to do."""

from __future__ import annotations

from typing import Protocol

from agentcal.trajectory import Trajectory


class Sink(Protocol):
    """Takes runs that are over. Called from the recorder's one writer thread, never the agent's.

    An exception is logged once a kind and counted, and costs this sink that run: raise freely.
    """

    def write(self, run: Trajectory) -> None:
        """Keep this run. Other sinks and observers are given the same object: do not change it."""

    def close(self) -> None:
        """No run will follow; called once, after the last one."""
