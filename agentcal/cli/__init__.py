"""Commands: `agentcal fit | evaluate | score | inspect | doctor | convert | demo`. No logic."""

from agentcal.cli._app import main

__all__ = ["main"]
