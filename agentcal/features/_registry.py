"""Every family in its place, and the columns that they make together."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from agentcal.features._family import Family
from agentcal.features._feature import Feature, flag
from agentcal.features.agents import Agents
from agentcal.features.budget import Budget
from agentcal.features.confidence import Confidence
from agentcal.features.coverage import Coverage
from agentcal.features.grounding import Grounding
from agentcal.features.injection import Injection
from agentcal.features.logprobs import Logprobs
from agentcal.features.structure import Structure
from agentcal.features.tools import Tools
from agentcal.features.wording import Wording

FAMILIES: tuple[type[Family], ...] = (
    Structure,
    Tools,
    Coverage,
    Grounding,
    Wording,
    Confidence,
    Injection,
    Agents,
    Budget,
    Logprobs,
)

END = flag("ended_abnormally", "1 if the finished run did not end with an answer", "not finished")

FEATURES: tuple[Feature, ...] = (
    *(feature for family in FAMILIES for feature in family.features),
    END,
)

FAMILY_OF: dict[str, str] = {
    feature.name: family.name for family in FAMILIES for feature in family.features
} | {END.name: "structure"}


def fingerprint(columns: Iterable[Feature] = FEATURES) -> str:
    """A digest of the names and definitions of features: rows of two versions never mix."""
    text = "\n".join(f"{f.name}\t{f.definition}\t{f.low}\t{f.high}" for f in columns)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
