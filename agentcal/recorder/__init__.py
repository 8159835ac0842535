"""Watching agents work: events of live runs in, trajectories and confidence out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentcal._lazy import lazily
from agentcal.recorder._info import RunInfo
from agentcal.recorder._memory_pending import MemoryPending
from agentcal.recorder._observer import Observer
from agentcal.recorder._pending import PendingRun, PendingRuns
from agentcal.recorder._quiet import QuietObserver
from agentcal.recorder._record import Record
from agentcal.recorder._recorder import Recorder
from agentcal.recorder._review import Answer, Review
from agentcal.recorder._run import Run
from agentcal.recorder._sqlite_pending import SqlitePending
from agentcal.recorder._stats import RecorderStats
from agentcal.sinks import Sink

if TYPE_CHECKING:
    from agentcal.recorder._decision_log import DecisionLog, LoggedDecision, read_decisions

_HOME = {
    "DecisionLog": "_decision_log",
    "LoggedDecision": "_decision_log",
    "read_decisions": "_decision_log",
}

__all__ = [
    "Answer",
    "DecisionLog",
    "LoggedDecision",
    "MemoryPending",
    "Observer",
    "PendingRun",
    "PendingRuns",
    "QuietObserver",
    "Record",
    "Recorder",
    "RecorderStats",
    "Review",
    "Run",
    "RunInfo",
    "Sink",
    "SqlitePending",
    "read_decisions",
]


__getattr__ = lazily(__name__, _HOME)
