"""How much harm a step can do."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from agentcal.policy._model import Part
from agentcal.tools import tool_facts
from agentcal.trajectory import ToolDeclaration

Tier = Literal["read_only", "write", "destructive", "answer"]
"""``answer``: the agent replies to the user and calls nothing."""


class Tiers(Part):
    """Which tier a tool belongs to.

    What stands in ``tools`` wins. Else the declaration of the tool decides: ``destructive``, then
    ``read_only``. A tool of which neither was declared is ``read_only`` if its kind is evidence or
    verification (see :func:`agentcal.tool_facts`); with ``trust_names=False`` only if that kind was
    declared and not guessed from words. All else is ``write``: an unknown tool is never read-only.
    """

    tools: dict[str, Tier] = Field(default_factory=dict)
    trust_names: bool = True

    def of(self, name: str, declared: ToolDeclaration | None = None) -> Tier:
        """The tier of the tool ``name``; ``declared`` as it was offered to the model."""
        if name in self.tools:
            return self.tools[name]
        facts = tool_facts(name, declared)
        if facts.destructive:
            return "destructive"
        if facts.read_only is not None:
            return "read_only" if facts.read_only else "write"
        reads = facts.kind in ("evidence", "verification")
        return "read_only" if reads and (self.trust_names or facts.why == "declared") else "write"
