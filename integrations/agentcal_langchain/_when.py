"""For ``HumanInTheLoopMiddleware``: whether somebody has to be asked about a call."""

from __future__ import annotations

from langchain.agents.middleware import ToolCallRequest

from agentcal_langchain._frozen import call_in, frozen_for, newest_reply
from agentcal_langchain._state import DEFAULT_NAME


def calibrated_when(request: ToolCallRequest, *, name: str = DEFAULT_NAME) -> bool:
    """Interrupt unless the frozen decision lets the call run; for ``InterruptOnConfig.when``.

    It only reads: what was decided when the model replied, and what a reviewer has said to it
    since. So it says the same again when the agent is resumed, whatever calibrator or policy is in
    place by then. A call without a decision interrupts: there is no middleware of this ``name``, or
    the call was changed after it was decided.
    """
    state = request.state if isinstance(request.state, dict) else {}
    reply = newest_reply(state.get("messages") or [])
    frozen = frozen_for(state, reply, name)
    call = call_in(reply, request.tool_call["id"])
    at = None if frozen is None or call is None else frozen.place(call)
    if frozen is None or at is None:
        return True
    return at not in frozen.answers and not frozen.lets_run(at)
