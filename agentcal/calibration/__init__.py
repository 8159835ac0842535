"""From feature rows to a calibrated probability of success: fit, predict, save, explain."""

from agentcal._seen import Seen
from agentcal.calibration._calibrator import Calibrator, Settings
from agentcal.calibration._censored import censored, changed
from agentcal.calibration._columns import COLUMNS, FAMILY_OF_COLUMN, FITTED
from agentcal.calibration._confidence import Confidence, Reason
from agentcal.calibration._fit import fit
from agentcal.calibration._report import FitReport, HeadReport, ScoreReport, StageReport
from agentcal.calibration._table import GroupBy, group_name

__all__ = [
    "COLUMNS",
    "FAMILY_OF_COLUMN",
    "FITTED",
    "Calibrator",
    "Confidence",
    "FitReport",
    "GroupBy",
    "HeadReport",
    "Reason",
    "ScoreReport",
    "Seen",
    "Settings",
    "StageReport",
    "censored",
    "changed",
    "fit",
    "group_name",
]
