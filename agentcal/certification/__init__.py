"""Certify a policy: find the threshold that keeps its promise, on runs that nobody has learnt from.

Runs and a calibrator in, the same policy with its certificate out. The exact bounds are in
:mod:`agentcal.bounds`, the alarm's in :mod:`agentcal.sequential`.
"""

from agentcal.certification._certify import certify
from agentcal.certification._draft import read_draft

__all__ = ["certify", "read_draft"]
