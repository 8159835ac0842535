"""The callback handler that is given to graphs."""

from __future__ import annotations

from collections.abc import Iterable

from langchain_core.tools import BaseTool

from agentcal.recorder import Recorder
from agentcal_langgraph._declared import declaration
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
        group: What will be new at deployment, for all runs of this handler; see ``fit``.
        tools: Those of the graph, for their hints (as MCP adapters put them into ``metadata``),
            which a model is not shown. A gate, and ``CalibrationMiddleware``, tell them anyway.
    """

    def __init__(
        self,
        recorder: Recorder,
        *,
        agent: str | None = None,
        group: str | None = None,
        tools: Iterable[BaseTool] = (),
    ) -> None:
        super().__init__()
        self.recorder = recorder
        self.agent, self.group = agent, group
        self.tools = [declaration(tool) for tool in tools]
