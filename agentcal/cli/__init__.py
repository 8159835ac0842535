"""Commands: `agentcal fit | evaluate | score | inspect | doctor | convert | demo`. Thin: no logic."""

from agentcal.cli._app import main

__all__ = ["main"]
