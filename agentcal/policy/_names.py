"""Sets that look the same in JSON whatever order they were given in."""

from __future__ import annotations

from typing import Annotated, TypeVar

from pydantic import AfterValidator

from agentcal.policy._tiers import Tier

T = TypeVar("T", bound=str)


def _ordered(names: tuple[T, ...]) -> tuple[T, ...]:
    return tuple(sorted(set(names)))


def _with_stricter(tiers: tuple[Tier, ...]) -> tuple[Tier, ...]:
    return (*tiers, "destructive") if "write" in tiers else tiers


Names = Annotated[tuple[str, ...], AfterValidator(_ordered)]
TierSet = Annotated[tuple[Tier, ...], AfterValidator(_with_stricter), AfterValidator(_ordered)]
"""``write`` brings ``destructive`` along: who holds up writing does not mean to let delete."""
