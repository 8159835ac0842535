"""How good a calibrator is on runs that it has not seen."""

from agentcal.evaluation._evaluate import assess, evaluate
from agentcal.evaluation._labelled import Labelled, LabelledRuns, stated_by_turn
from agentcal.evaluation._result import Evaluation, EvaluationRow, TrajectoryScore
from agentcal.evaluation._scored import (
    SEEN,
    Predictions,
    ScoredRun,
    ScoredRuns,
    score_runs,
)

__all__ = [
    "SEEN",
    "Evaluation",
    "EvaluationRow",
    "Labelled",
    "LabelledRuns",
    "Predictions",
    "ScoredRun",
    "ScoredRuns",
    "TrajectoryScore",
    "assess",
    "evaluate",
    "score_runs",
    "stated_by_turn",
]
