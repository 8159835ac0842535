"""What models and users are told about what did not happen."""

from __future__ import annotations

from langchain_core.messages import AIMessage, HumanMessage, ToolCall, ToolMessage

from agentcal.policy import Verdict
from agentcal_langgraph._frozen import Outcome
from agentcal_langgraph._proposal import NUDGE
from agentcal_langgraph._review import Answer

ABSTAINED = (
    "I am not sure enough that this is going well, so I have stopped here. "
    "What I was about to do has not been done; please have somebody look at it."
)
"""What the user is told at the end of a run that the gate has ended."""

HELD_BACK = "A reviewer has held back the answer to this request."
"""What the user is told instead of an answer that was rejected without a word."""

_ABSTAINS = "agentcal_abstains"


def unsure(why: str) -> str:
    """The call is not run before the agent has checked."""
    return f"Not run. Check this before you go on: {why}. If it is still right, propose it again."


def ended(why: str) -> str:
    """The call is not run, and neither is anything else."""
    return f"Not run: {why}. The run was ended."


def undecided(name: str) -> str:
    """The call is not run, for nobody has decided about it."""
    return f"Not run: nothing has decided that {name} may run."


def rejected(answer: Answer) -> str:
    """What a reviewer said instead of letting the call run."""
    said = f" They say: {answer.message}" if answer.message else ""
    return (
        f"Not run: a reviewer rejected this call.{said} "
        "Do not propose it again unless you are asked to."
    )


def result_for(call: ToolCall, outcome: Outcome | None) -> ToolMessage:
    """The message in place of the result of a call that does not run."""
    said = undecided(call["name"]) if outcome is None else outcome.say
    good = outcome is not None and outcome.fate == "respond"
    return ToolMessage(
        said or undecided(call["name"]),
        name=call["name"],
        tool_call_id=call["id"] or "",
        status="success" if good else "error",
    )


def nudge(why: str) -> HumanMessage:
    """The agent is asked to check its answer before it goes out. The recorder knows the name."""
    return HumanMessage(
        f"Your answer has not gone out yet. Check it first: {why}. "
        "Look at the facts again where you can, then give the answer that you stand by.",
        name=NUDGE,
    )


def instead(reply: AIMessage, text: str) -> AIMessage:
    """Another answer in the place of the model's."""
    return AIMessage(text, id=reply.id, name=reply.name)


def farewell(reply: AIMessage | None, text: str, why: str) -> AIMessage:
    """The end of a run, in the place of ``reply`` if that was an answer; marked as such."""
    mark = {_ABSTAINS: {"verdict": Verdict.ABSTAIN.value, "reason": why}}
    known = {} if reply is None else {"id": reply.id, "name": reply.name}
    return AIMessage(text, response_metadata=mark, **known)


def says_farewell(message: object) -> bool:
    """Whether a gate has ended the run with this message."""
    return isinstance(message, AIMessage) and _ABSTAINS in message.response_metadata


def lost(answer: Answer) -> str:
    """What a reviewer said about a call that was begun and whose result is lost."""
    said = f" A reviewer says: {answer.message}" if answer.message else ""
    return (
        "This call was begun and its result is lost: it may have taken effect. "
        f"It was not run again.{said}"
    )


def unkept(call: ToolCall) -> ToolMessage:
    """The result of a call that has run and gave something that could not be kept."""
    return ToolMessage(
        "This call has run. What it gave could not be kept; it was not run again.",
        name=call["name"],
        tool_call_id=call["id"] or "",
        status="error",
    )
