"""What a recorded run tells of its calls up to a decision point, so that reasons can name tools."""

from __future__ import annotations

import json
from collections import Counter
from functools import cached_property

from agentcal.features import DecisionPoint, Digest, Verdict, judge
from agentcal.tools import kind_of
from agentcal.trajectory import ToolCall, Trajectory


class Calls:
    """The calls proposed up to ``point`` of ``run``, and those whose results were known there.

    ``missing``: the tool that successful runs like it called and it has not, if there is one.
    """

    def __init__(self, run: Trajectory, point: DecisionPoint, missing: str = "") -> None:
        self.missing = missing
        over = point.kind == "finished"
        steps = run.steps[: point.turn]
        self._tools = {tool.name: tool for tool in run.tools}
        self.proposed: list[ToolCall] = [call for step in steps for call in step.tool_calls]
        known = steps if over else steps[:-1]
        self.results: list[ToolCall] = [
            call for step in known for call in step.tool_calls if call.status != "missing"
        ]

    @cached_property
    def _verdicts(self) -> list[tuple[ToolCall, Verdict]]:
        return [(call, judge(Digest(call.result or ""), call.status)) for call in self.results]

    @cached_property
    def failed(self) -> Counter[str]:
        """Errors by tool, read as the features read them."""
        return Counter(call.name for call, verdict in self._verdicts if verdict.failed)

    @cached_property
    def in_error(self) -> list[str]:
        """Tools whose newest result is an error, the newest last."""
        bad: dict[str, bool] = {}
        for call, verdict in self._verdicts:
            if verdict.failed:
                bad.pop(call.name, None)
                bad[call.name] = True
            elif call.status != "rejected":
                bad.pop(call.name, None)
        return list(bad)

    @cached_property
    def empty(self) -> list[ToolCall]:
        """Look-ups, and calls to other tools that are no actions, that found nothing."""
        return [
            call
            for call, verdict in self._verdicts
            if verdict.empty and kind_of(call.name, self._tools.get(call.name)) != "action"
        ]

    @cached_property
    def most_repeated(self) -> tuple[str, int]:
        """The tool of the call that was made most often with the same arguments, and how often."""
        seen = Counter(
            (call.name, call.raw_arguments or json.dumps(call.arguments, sort_keys=True))
            for call in self.proposed
        )
        (tool, _), times = seen.most_common(1)[0]
        return tool, times
