"""Exact bounds for rates, with runs that come in groups, and thresholds certified by them.

Numbers in, numbers out: no models, no policies. Malformed input raises
:class:`agentcal.errors.ConfigError`, input that cannot support an answer
:class:`agentcal.errors.NotEnoughData`.
"""

from agentcal.bounds._binomial import groups_needed, p_value, upper_bound
from agentcal.bounds._certify import certify_threshold
from agentcal.bounds._more import more_groups
from agentcal.bounds._rate import GroupedRate
from agentcal.bounds._results import Attempt, NotCertified, ThresholdCertificate

__all__ = [
    "Attempt",
    "GroupedRate",
    "NotCertified",
    "ThresholdCertificate",
    "certify_threshold",
    "groups_needed",
    "more_groups",
    "p_value",
    "upper_bound",
]
