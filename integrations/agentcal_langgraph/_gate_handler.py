"""The handler that a gated graph brings along."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from agentcal_langgraph._handler import CalibrationCallbackHandler
from agentcal_langgraph._open import is_watched


class GateHandler(CalibrationCallbackHandler):
    """Watches a gated graph also where it is a node of a graph that nobody watches.

    There, each time the graph is run is a run of its own: the gate needs a score.
    """

    def _begins(self, parent_run_id: UUID | None, metadata: Mapping[str, Any]) -> bool:
        if super()._begins(parent_run_id, metadata):
            return True
        if parent_run_id is None or self.recorder is None:
            return False
        return "ls_integration" in metadata and not is_watched(self.recorder, parent_run_id)
