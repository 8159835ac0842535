"""Confidence inside ``create_agent``: a middleware that scores each model turn and freezes it.

::

    from agentcal_langchain import CalibrationMiddleware, confidence_in

    agent = create_agent(model, tools, middleware=[CalibrationMiddleware(calibrator)])
    agent.invoke({"messages": [...]}, config)
    confidence_in(agent.get_state(config).values)

With a policy it gates: each turn is decided about when the model has replied, and what may not go
on is checked, asked about, or ended::

    policy = Policy.load("policy.json").enforce()
    gate = CalibrationMiddleware(calibrator, policy)
    agent = create_agent(model, tools, middleware=[gate], checkpointer=saver)

Confidence and decisions live in the private state of the agent, under the id of the message that
they are about: whoever resumes the agent reads the same values, in another process too.

Who records? Where a ``CalibrationCallbackHandler`` of ``agentcal_langgraph`` watches the run, the
handler records and the middleware takes its score over; else the middleware records. So a run is
recorded once, and a turn has one confidence, whether both are in use or either alone.
"""

from __future__ import annotations

from agentcal_langchain._frozen import decisions_in
from agentcal_langchain._middleware import CalibrationMiddleware
from agentcal_langchain._state import CalibrationState, confidence_in
from agentcal_langchain._when import calibrated_when

__all__ = [
    "CalibrationMiddleware",
    "CalibrationState",
    "calibrated_when",
    "confidence_in",
    "decisions_in",
]
