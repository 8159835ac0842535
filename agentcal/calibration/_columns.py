"""The columns that a head sees: the fold's features, then what the reference makes of a row."""

from __future__ import annotations

from agentcal.calibration._reference import FAMILY, REFERENCE
from agentcal.features import FAMILY_OF, FEATURES, Feature
from agentcal.features import fingerprint as fingerprint_of

COLUMNS: tuple[Feature, ...] = (*FEATURES, *REFERENCE)

FAMILY_OF_COLUMN: dict[str, str] = FAMILY_OF | dict.fromkeys((f.name for f in REFERENCE), FAMILY)

FITTED: frozenset[str] = frozenset(feature.name for feature in REFERENCE)
"""Columns that depend on the training runs; the others are the fold's alone."""


def fingerprint() -> str:
    """A digest of the names and definitions of all columns."""
    return fingerprint_of(COLUMNS)
