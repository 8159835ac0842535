"""Before switching on: what a policy would have done on recorded runs, beside baselines."""

from agentcal.replays._baselines import ALWAYS, CALIBRATOR, MIN_STATED, STATED, Rivals
from agentcal.replays._breakdown import by_family, by_tool, curves
from agentcal.replays._figures import Figures
from agentcal.replays._recorded import RecordedRun, reach_of
from agentcal.replays._replay import beside, replay
from agentcal.replays._result import (
    Curve,
    CurvePoint,
    FamilyRow,
    Passed,
    Promise,
    Replay,
    Row,
    ToolRow,
)
from agentcal.replays._stop import Stop, stop_of
from agentcal.replays._walked import WalkedRuns, walk_runs

__all__ = [
    "ALWAYS",
    "CALIBRATOR",
    "MIN_STATED",
    "STATED",
    "Curve",
    "CurvePoint",
    "FamilyRow",
    "Figures",
    "Passed",
    "Promise",
    "RecordedRun",
    "Replay",
    "Rivals",
    "Row",
    "Stop",
    "ToolRow",
    "WalkedRuns",
    "beside",
    "by_family",
    "by_tool",
    "curves",
    "reach_of",
    "replay",
    "stop_of",
    "walk_runs",
]
