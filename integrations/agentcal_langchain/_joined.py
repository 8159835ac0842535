"""A run that a callback handler of ``agentcal_langgraph`` records: read its confidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.callbacks import BaseCallbackManager
from langchain_core.messages import BaseMessage

from agentcal import Calibrator, Confidence
from agentcal.recorder import Recorder, Run
from agentcal_langchain._harmless import harmless
from agentcal_langchain._langgraph import run_at
from agentcal_langchain._seat import NoSeat
from agentcal_langchain._state import RunRecord


def handlers_run(config: Mapping[str, Any]) -> Run | None:
    """The run that a handler in this configuration records; None: no handler watches it."""
    manager = config.get("callbacks")
    if not isinstance(manager, BaseCallbackManager) or manager.parent_run_id is None:
        return None
    runs = (run_at(handler, manager.parent_run_id) for handler in manager.handlers)
    return next((run for run in runs if run is not None), None)


class JoinedSeat(NoSeat):
    """Tells nothing, for the handler has seen it all; the handler's score is taken over.

    ``calibrator`` scores the handler's run where the handler has none of its own.
    """

    def __init__(self, run: Run, recorder: Recorder, calibrator: Calibrator | None) -> None:
        self._run, self._recorder, self._calibrator = run, recorder, calibrator
        self.record = RunRecord(run_id=run.run_id, place="", turns={})

    @harmless
    def replied(self, messages: Sequence[BaseMessage]) -> Confidence | None:
        """The handler's confidence; it heard of the reply before the model's caller did."""
        if self._run.confidence is not None or self._calibrator is None:
            return self._run.confidence
        point = self._run.decision()
        return None if point is None else self._calibrator.predict(point)

    def _broke(self, doing: str, error: Exception) -> None:
        """The handler's record is whole; only the score of this middleware is missing."""
        self._recorder.failed(doing, error)
