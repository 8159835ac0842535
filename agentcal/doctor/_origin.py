"""Where runs come from: the format of a file, or the dialect of the spans that told them."""

from __future__ import annotations

from collections.abc import Mapping

from agentcal.trajectory import Trajectory

LIVE = "live"
"""Runs that a receiver was sent, before their dialect is known."""

_SPANS = "otlp"


def dialects(run: Trajectory) -> list[str]:
    """The dialects of a run that spans told.

    OpenLLMetry's spans speak the GenAI conventions too: that is one origin, not two.
    """
    found = run.metadata.get("dialect")
    if "trace_id" not in run.metadata or not isinstance(found, str):
        return []
    parts = [part for part in found.split("+") if part]
    return [part for part in parts if part != "genai" or "openllmetry" not in parts]


def origins(formats: Mapping[str, int], spoken: Mapping[str, int], runs: int) -> dict[str, int]:
    """Runs by origin: dialects where there are any, else formats, else agentcal's own objects."""
    by_format = {name: n for name, n in formats.items() if name != _SPANS or not spoken}
    found = {**by_format, **spoken}
    if not found and runs:
        found = {"agentcal": runs}
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))
