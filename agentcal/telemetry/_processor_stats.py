"""What a processor has counted."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class ProcessorStats:
    """Counts since the processor was made, as they stood when they were asked for.

    ``spans``: ended and read. ``runs``: given to the sinks. ``late``: spans that ended after their
    run was told. ``expired``: traces given up, because nothing happened in them for too long or too
    many were open. ``dropped``: runs that the sinks were too slow for. ``errors``: exceptions in
    agentcal or in a sink, which the program did not notice.
    """

    spans: int = 0
    runs: int = 0
    late: int = 0
    expired: int = 0
    dropped: int = 0
    errors: int = 0
