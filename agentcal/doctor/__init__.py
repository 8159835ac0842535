"""What recorded or arriving runs carry, what that costs, and how to switch the rest on.

:func:`examine` looks at runs once, in bounded memory, and gives a :class:`Diagnosis`. ``agentcal
doctor`` prints it, for files or for what a running application sends.
"""

from __future__ import annotations

from agentcal.doctor._diagnosis import (
    Advice,
    Arrivals,
    Diagnosis,
    Finding,
    Outcomes,
    Severity,
    SignalShare,
)
from agentcal.doctor._examine import Examination, examine
from agentcal.doctor._listen import listen

__all__ = [
    "Advice",
    "Arrivals",
    "Diagnosis",
    "Examination",
    "Finding",
    "Outcomes",
    "Severity",
    "SignalShare",
    "examine",
    "listen",
]
