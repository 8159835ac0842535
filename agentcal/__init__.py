"""Calibrated probability of success for tool-using agents, at every step of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentcal._lazy import lazily

if TYPE_CHECKING:
    from agentcal.calibration import Calibrator, Confidence, FitReport, Reason, fit
    from agentcal.certification import certify
    from agentcal.data import sample_runs
    from agentcal.declarations import DeclaredRuns, declare_tools
    from agentcal.doctor import Diagnosis, examine
    from agentcal.errors import (
        AgentcalError,
        ArtefactError,
        ConfigError,
        FormatError,
        NotEnoughData,
    )
    from agentcal.evaluation import Evaluation, evaluate
    from agentcal.features import DecisionPoint, Fold, decision_points
    from agentcal.formats import LoadedRuns, LoadReport, load, write_jsonl
    from agentcal.policy import (
        Alarm,
        Always,
        Costs,
        CostTarget,
        Decision,
        Gate,
        Policy,
        ReviewBudget,
        RiskTarget,
        SqliteLedger,
        TurnDecision,
        Verdict,
    )
    from agentcal.replays import Replay, replay
    from agentcal.tools import ToolFacts, tool_facts
    from agentcal.trajectory import (
        Intervention,
        Limits,
        Message,
        Outcome,
        Step,
        TokenLogprobs,
        ToolCall,
        ToolDeclaration,
        Trajectory,
        Usage,
    )

__version__ = "0.1.0"

_HOME = {
    "AgentcalError": "errors",
    "ArtefactError": "errors",
    "ConfigError": "errors",
    "FormatError": "errors",
    "NotEnoughData": "errors",
    "Intervention": "trajectory",
    "Limits": "trajectory",
    "Message": "trajectory",
    "Outcome": "trajectory",
    "Step": "trajectory",
    "TokenLogprobs": "trajectory",
    "ToolCall": "trajectory",
    "ToolDeclaration": "trajectory",
    "Trajectory": "trajectory",
    "Usage": "trajectory",
    "LoadReport": "formats",
    "LoadedRuns": "formats",
    "load": "formats",
    "write_jsonl": "formats",
    "ToolFacts": "tools",
    "tool_facts": "tools",
    "DeclaredRuns": "declarations",
    "declare_tools": "declarations",
    "DecisionPoint": "features",
    "Fold": "features",
    "decision_points": "features",
    "Calibrator": "calibration",
    "Confidence": "calibration",
    "FitReport": "calibration",
    "Reason": "calibration",
    "fit": "calibration",
    "Diagnosis": "doctor",
    "examine": "doctor",
    "Evaluation": "evaluation",
    "evaluate": "evaluation",
    "Alarm": "policy",
    "Always": "policy",
    "Costs": "policy",
    "CostTarget": "policy",
    "Decision": "policy",
    "Gate": "policy",
    "Policy": "policy",
    "ReviewBudget": "policy",
    "RiskTarget": "policy",
    "SqliteLedger": "policy",
    "TurnDecision": "policy",
    "Verdict": "policy",
    "certify": "certification",
    "Replay": "replays",
    "replay": "replays",
    "sample_runs": "data",
}

__all__ = [  # noqa: RUF022 - grouped by room
    "AgentcalError",
    "ArtefactError",
    "ConfigError",
    "FormatError",
    "NotEnoughData",
    "Intervention",
    "Limits",
    "Message",
    "Outcome",
    "Step",
    "TokenLogprobs",
    "ToolCall",
    "ToolDeclaration",
    "Trajectory",
    "Usage",
    "LoadReport",
    "LoadedRuns",
    "load",
    "write_jsonl",
    "ToolFacts",
    "tool_facts",
    "DeclaredRuns",
    "declare_tools",
    "DecisionPoint",
    "Fold",
    "decision_points",
    "Calibrator",
    "Confidence",
    "FitReport",
    "Reason",
    "fit",
    "Evaluation",
    "evaluate",
    "Alarm",
    "Always",
    "Costs",
    "CostTarget",
    "Decision",
    "Gate",
    "Policy",
    "ReviewBudget",
    "RiskTarget",
    "SqliteLedger",
    "TurnDecision",
    "Verdict",
    "certify",
    "Replay",
    "replay",
    "Diagnosis",
    "examine",
    "sample_runs",
    "__version__",
]


__getattr__ = lazily(__name__, _HOME)


def __dir__() -> list[str]:
    return sorted(__all__)
