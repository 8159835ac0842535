"""The steps of an ATIF trajectory: what was said to the agent, what it decided, what came back."""

from __future__ import annotations

from typing import Any

from agentcal._fields import as_text
from agentcal.formats._atif_call import completed, surplus, to_results, to_step
from agentcal.formats._chat import checked
from agentcal.formats._format import Context
from agentcal.formats._message import spoken
from agentcal.formats._results import ToolResult, attach
from agentcal.trajectory import EndReason, Message, Role, Step


class Dialogue:
    """Task, system prompt and steps, built step by step.

    System steps before the first decision are the system prompt, the first user step is the task;
    what comes later is input of the decision that follows, and so is an observation that answers
    no call. In what agentcal wrote itself (``written_here``) at most one system step, then the
    task, come first, and all other messages are inputs.
    """

    def __init__(self, steps: Any, context: Context, *, written_here: bool) -> None:
        self.task = ""
        self.steps: list[Step] = []
        self.trailing_inputs: list[Message] = []
        self.started_at: Any = None
        self._context, self._written_here = context, written_here
        self._system: list[str] = []
        self._asked = False
        found = checked(steps)
        self._users = any(step.get("source") == "user" for step in found)
        for step in found:
            self._take(step)
        if not self.steps:
            context.note("run without a model turn", fix="Kept; it has no decision point.")

    @property
    def system(self) -> str:
        """The system prompt."""
        return "\n\n".join(self._system)

    @property
    def end_reason(self) -> EndReason:
        """``answered`` if the last step is a reply without calls that nothing follows."""
        last = self.steps[-1] if self.steps else None
        done = last is not None and last.text and not last.tool_calls and not self.trailing_inputs
        return "answered" if done else "unknown"

    def _take(self, step: dict[str, Any]) -> None:
        self.started_at = self.started_at or step.get("timestamp")
        source = step.get("source")
        if source == "agent" and not step.get("is_copied_context"):
            self._agent(step)
            return
        text, _ = spoken(step.get("message"), self._context)
        if source == "user":
            self._told(_role(step, "user"), text)
        elif source == "system":
            self._told("system", text)
        else:
            if source != "agent":
                fix = "Read as another agent's message."
                self._context.note("unknown source", repr(source)[:80], fix)
            self._told("agent", text)
        self._seen(to_results(step, self._context))

    def _told(self, role: Role, text: str) -> None:
        opening = not (self._asked or self.steps or self.trailing_inputs)
        if role == "system" and not self.steps and (opening or not self._written_here):
            self._system.append(text)
        elif role == "user" and not self._asked and not self.steps:
            self.task, self._asked = text, True
        else:
            self.trailing_inputs.append(Message(role=role, text=text))

    def _seen(self, results: list[ToolResult]) -> None:
        """Observations that answer no call."""
        self.trailing_inputs += [Message(role="system", text=result.text) for result in results]

    def _agent(self, raw: dict[str, Any]) -> None:
        step, results = to_step(raw, self._context), to_results(raw, self._context)
        if self._users and not (self._asked or self.steps or step.tool_calls or results):
            self.trailing_inputs.append(Message(role="agent", text=step.text))
            return
        step.inputs, self.trailing_inputs = self.trailing_inputs, []
        left = attach(step.tool_calls, results)
        self.steps.append(completed(step, surplus(raw)) if self._written_here else step)
        self._seen(left)


def _role(step: dict[str, Any], role: Role) -> Role:
    """Another agent's message is written as a user's, with a mark."""
    return "agent" if as_text(surplus(step).get("role")) == "agent" else role
