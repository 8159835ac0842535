"""Sets that look the same in JSON whatever order they were given in."""

from __future__ import annotations

from typing import Annotated, TypeVar

from pydantic import AfterValidator

from agentcal.policy._tiers import Tier

T = TypeVar("T", bound=str)


def _ordered(names: tuple[T, ...]) -> tuple[T, ...]:
    return tuple(sorted(set(names)))


Names = Annotated[tuple[str, ...], AfterValidator(_ordered)]
TierSet = Annotated[tuple[Tier, ...], AfterValidator(_ordered)]
