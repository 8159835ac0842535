"""Alarms that watch a whole run: how they are fitted, what they promise, how they are read.

Numbers in, numbers out: trails of scores at decision points, higher is better; no policies.
Malformed input raises :class:`agentcal.errors.ConfigError`, runs that cannot carry the promise
:class:`agentcal.errors.NotEnoughData`. The method is in docs/alarms.md.
"""

from agentcal.sequential._bound import AlarmBound
from agentcal.sequential._fit import fit_alarm
from agentcal.sequential._normaliser import Normaliser, Signs
from agentcal.sequential._watch import Watch

__all__ = ["AlarmBound", "Normaliser", "Signs", "Watch", "fit_alarm"]
