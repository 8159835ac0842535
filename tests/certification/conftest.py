"""A command line in the process, a calibrator in a file, and runs of other tasks."""

from __future__ import annotations

from tests.cli.conftest import agentcal, files

__all__ = ["agentcal", "files"]
