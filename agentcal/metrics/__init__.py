"""Metrics of predicted success probabilities: numpy arrays in, numbers out.

Every function takes ``p`` (predicted probability of success, in [0, 1]) and ``y`` (1 success,
0 failure), arrays of one length, and where it says so ``weight`` and ``group`` (integer or string
labels of what is independent, such as the task). Malformed input raises
:class:`agentcal.errors.ConfigError`, input that cannot support an answer
:class:`agentcal.errors.NotEnoughData`.
"""

from agentcal.metrics._binned import calibration_error, ece
from agentcal.metrics._intervals import Estimate, group_bootstrap, group_jackknife
from agentcal.metrics._metric import Metric, Table, ratio
from agentcal.metrics._null import NullLevel, null_level
from agentcal.metrics._prefix import (
    RunScores,
    TurnCalibration,
    calibration_by_turn,
    harmonic,
    trajectory_proper_score,
    trajectory_scores,
)
from agentcal.metrics._proper import brier, brier_skill, log_loss, mcip
from agentcal.metrics._ranking import auprc_failure, auroc, auroc_within
from agentcal.metrics._registry import METRICS
from agentcal.metrics._reliability import Reliability, ReliabilityBin, reliability
from agentcal.metrics._selective import (
    RiskCoverage,
    aurc,
    eaurc,
    risk_at_coverage,
    risk_coverage_curve,
)
from agentcal.metrics._smooth import smooth_calibration_error
from agentcal.metrics._summary import Summary, summarise

__all__ = [
    "METRICS",
    "Estimate",
    "Metric",
    "NullLevel",
    "Reliability",
    "ReliabilityBin",
    "RiskCoverage",
    "RunScores",
    "Summary",
    "Table",
    "TurnCalibration",
    "auprc_failure",
    "aurc",
    "auroc",
    "auroc_within",
    "brier",
    "brier_skill",
    "calibration_by_turn",
    "calibration_error",
    "eaurc",
    "ece",
    "group_bootstrap",
    "group_jackknife",
    "harmonic",
    "log_loss",
    "mcip",
    "null_level",
    "ratio",
    "reliability",
    "risk_at_coverage",
    "risk_coverage_curve",
    "smooth_calibration_error",
    "summarise",
    "trajectory_proper_score",
    "trajectory_scores",
]
