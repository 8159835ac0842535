"""Fields that several formats share: outcomes, points in time, usage."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from agentcal._fields import as_text, not_negative, share
from agentcal.formats._format import Context
from agentcal.trajectory import Outcome, Usage

_EXACT = 2**53  # below it a float holds every whole number

BAD_LABEL = "label is not in [0, 1]"


def outcome(value: Any, source: str, context: Context) -> Outcome | None:
    """An outcome from what a log calls its label. One outside [0, 1] is noted and left out."""
    detail = value if isinstance(value, dict) else {"value": value}
    if detail.get("value") is None:
        return None
    found = share(detail["value"])
    if found is None:
        context.note(
            BAD_LABEL,
            f"{source} is {json.dumps(detail['value'], ensure_ascii=False)[:80]}",
            "Give 1 for success, 0 for failure, or a share in between; the run is kept unlabelled.",
        )
        return None
    by = detail.get("source", source)
    return Outcome(value=found, source=as_text(by), at=moment(detail.get("at"), context))


def moment(value: Any, context: Context) -> datetime | None:
    """A point in time from ISO 8601 text or from seconds since 1970; anything else is noted."""
    if value is None:
        return None
    try:
        if isinstance(value, str):
            return datetime.fromisoformat(value)
        return datetime.fromtimestamp(value, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        context.note("time is not readable", as_text(value)[:80], "Give ISO 8601 text or seconds.")
        return None


def usage(value: Any) -> Usage | None:
    """Token counts as OpenAI (chat or responses) or Anthropic report them; ``None`` if absent."""
    if not isinstance(value, dict):
        return None
    details = value.get("completion_tokens_details") or value.get("output_tokens_details")
    given = _count(value, "prompt_tokens", "input_tokens")
    made = _count(value, "completion_tokens", "output_tokens")
    thought = _count(details, "reasoning_tokens") or _count(value, "reasoning_tokens")
    if given is None and made is None and thought is None:
        return None
    return Usage(input_tokens=given, output_tokens=made, reasoning_tokens=thought)


def _count(value: Any, *names: str) -> int | None:
    if isinstance(value, dict):
        for name in names:  # a loop: this runs for every turn of a live agent
            found = value.get(name)
            if type(found) is int and 0 <= found < _EXACT:
                return found
            count = None if found is None else not_negative(found)
            if count is not None:
                return int(count)
    return None
