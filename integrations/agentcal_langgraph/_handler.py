"""The callback handler that is given to graphs."""

from __future__ import annotations

from collections.abc import Iterable

from langchain_core.tools import BaseTool

from agentcal.recorder import Recorder
from agentcal_langgraph._declared import declaration
from agentcal_langgraph._opening import Labels
from agentcal_langgraph._watcher import GraphWatcher


class CalibrationCallbackHandler(GraphWatcher):
    """Records every run of a graph, and scores it turn by turn.

    Give it to a call (``graph.invoke(..., {"callbacks": [handler]})``) or to a graph
    (``graph.with_config(callbacks=[handler])``); for all graphs of a process, see
    :func:`agentcal_langgraph.instrument`. One handler may serve any number of graphs, threads and
    event loops at once. It never raises and never waits.

    Args:
        recorder: Where the events go.
        agent: Who is running; by default the name of the graph, if it was given one.
        group: What will be new at deployment, for all runs of this handler; see ``fit``. For a
            single call, say ``agentcal_group`` in the ``metadata`` of its config.
        family: The kind of task, likewise (``agentcal_family``). It matters to the scores of a
            calibrator that was fitted with ``categoricals=["family"]``.
        tools: Those of the graph, for their hints (as MCP adapters put them into ``metadata``),
            which a model is not shown. A gate, and ``CalibrationMiddleware``, tell them anyway.
    """

    def __init__(
        self,
        recorder: Recorder,
        *,
        agent: str | None = None,
        group: str | None = None,
        family: str | None = None,
        tools: Iterable[BaseTool] = (),
    ) -> None:
        super().__init__()
        self.recorder = recorder
        self.labels = Labels(agent, group, family)
        self.tools = [declaration(tool) for tool in tools]
