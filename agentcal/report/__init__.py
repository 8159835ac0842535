"""Pictures of what the metrics say: reliability, selective risk, confidence turn by turn.

Every function returns a :class:`matplotlib.figure.Figure` made without pyplot: nothing global is
touched, no display is needed, and it can be drawn in a web server's thread. matplotlib comes with
the extra ``agentcal[plots]``; without it :class:`agentcal.errors.ConfigError` says so.
"""

from agentcal.report._figure import save
from agentcal.report._reliability import reliability_diagram
from agentcal.report._risk import risk_coverage
from agentcal.report._trade_off import trade_off
from agentcal.report._walk import ConfidenceLike, Walk, confidence_walk

__all__ = [
    "ConfidenceLike",
    "Walk",
    "confidence_walk",
    "reliability_diagram",
    "risk_coverage",
    "save",
    "trade_off",
]
