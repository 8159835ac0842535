"""Whether interrupting pays: runs without and with interventions, compared."""

from agentcal.pilot._advice import Advice, Luck, PilotAdvice
from agentcal.pilot._arm import Arm
from agentcal.pilot._pilot import pilot

__all__ = ["Advice", "Arm", "Luck", "PilotAdvice", "pilot"]
