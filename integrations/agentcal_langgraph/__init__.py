"""Watch LangGraph agents, and gate them: every run becomes a trajectory, scored while it happens.

One graph, one call, or the whole process::

    from agentcal.recorder import Recorder
    from agentcal_langgraph import CalibrationCallbackHandler, instrument

    recorder = Recorder(calibrator, sinks=[...])
    graph = graph.with_config(callbacks=[CalibrationCallbackHandler(recorder)])
    graph.invoke({"messages": "hi"}, {"callbacks": [CalibrationCallbackHandler(recorder)]})
    instrument(recorder)

What is recorded is the run of a graph (``StateGraph``, ``create_agent``, ``@entrypoint``) that no
other graph called, with all that happens inside: subgraphs, hand-offs, tools, retries. Models and
chains that are called outside a graph are no runs. The conversation is the ``thread_id``.

A score becomes a decision before anything happens::

    from agentcal_langgraph import calibrated

    graph = calibrated(builder.compile(checkpointer=saver), calibrator=calibrator, policy=policy)
"""

from __future__ import annotations

from agentcal_langgraph._calibrated import calibrated
from agentcal_langgraph._frozen import GateState
from agentcal_langgraph._gate_node import AllowedCalls, allowed_calls, gate_node
from agentcal_langgraph._handler import CalibrationCallbackHandler
from agentcal_langgraph._instrument import instrument, uninstrument
from agentcal_langgraph._past import decisions_in

__all__ = [
    "AllowedCalls",
    "CalibrationCallbackHandler",
    "GateState",
    "allowed_calls",
    "calibrated",
    "decisions_in",
    "gate_node",
    "instrument",
    "uninstrument",
]
