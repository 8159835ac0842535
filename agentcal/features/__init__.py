"""Process features: one incremental fold over the events of a run."""

from agentcal.features._feature import Feature
from agentcal.features._fold import DecisionPoint, Fold, Kind, decision_points
from agentcal.features._registry import FAMILIES, FAMILY_OF, FEATURES, fingerprint
from agentcal.features._stated import stated_in
from agentcal.features._text import Digest
from agentcal.features._use import ToolUse
from agentcal.features._verdicts import Verdict, judge

__all__ = [
    "FAMILIES",
    "FAMILY_OF",
    "FEATURES",
    "DecisionPoint",
    "Digest",
    "Feature",
    "Fold",
    "Kind",
    "ToolUse",
    "Verdict",
    "decision_points",
    "fingerprint",
    "judge",
    "stated_in",
]
