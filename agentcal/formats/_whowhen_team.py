"""From the messages of a team to steps: who spoke, what a terminal answered, what was thought."""

from __future__ import annotations

import re
from typing import Any

from agentcal._fields import as_text, name_of
from agentcal.formats._format import Context
from agentcal.trajectory import CallStatus, EndReason, Message, Step, ToolCall

_PEOPLE = frozenset({"user", "human"})
_NO_NAMES = frozenset({"assistant", "ai", "model", "agent"})
_TERMINALS = frozenset({"computerterminal", "codeexecutor", "codeexecutoragent", "terminal"})
_FENCE = "```"
_EXIT = re.compile(r"\s*exitcode:\s*(-?\d+)")


class Team:
    """Steps of all agents in the order in which they spoke.

    A terminal decides nothing: when it answers a message with a code block, that message is a
    step with a call to it, and the answer is the result, an error where the exit code is not 0.
    What is marked as a thought is the reasoning of what the same agent says next; an agent that
    is interrupted has a step with reasoning alone.
    """

    def __init__(self, history: list[dict[str, Any]], question: str, context: Context) -> None:
        self.task = ""
        self.steps: list[Step] = []
        self.trailing_inputs: list[Message] = []
        self._context = context
        self._thoughts: list[str] = []
        self._thinker: str | None = None
        self._asked = question
        for message in history:
            self._take(message)
        self._close()
        if not self.steps:
            context.note("run without a model turn", fix="Kept; it has no decision point.")

    @property
    def end_reason(self) -> EndReason:
        """``answered`` if the history ends with the words of an agent."""
        spoke = bool(self.steps) and bool(self.steps[-1].text) and not self.steps[-1].tool_calls
        return "answered" if spoke and not self.trailing_inputs else "unknown"

    def _take(self, message: dict[str, Any]) -> None:
        name, role = name_of(message.get("name")), as_text(message.get("role"))
        text = as_text(message.get("content"))
        who, aside = _split(name or role)
        if not name and role.lower() == "system":
            self._told(Message(role="system", text=text))
        elif not name and role.lower() in _PEOPLE:
            self._person(text)
        elif re.sub(r"[^a-z]", "", who.lower()) in _TERMINALS:
            self._terminal(who, text)
        else:
            agent = None if not name and who.lower() in _NO_NAMES else who or None
            self._agent(agent, text, thought=aside == "thought")

    def _person(self, text: str) -> None:
        first = not (self.task or self.steps or self.trailing_inputs or self._thoughts)
        if first and (
            not self._asked or self._asked.strip() in text or text.strip() in self._asked
        ):
            self.task = text
        else:
            self._told(Message(role="user", text=text))

    def _agent(self, agent: str | None, text: str, *, thought: bool) -> None:
        if self._thoughts and agent != self._thinker:
            self._close()
        if thought:
            self._thinker = agent
            self._thoughts.append(text)
            return
        self._add(Step(text=text, reasoning="\n\n".join(self._thoughts), agent=agent))

    def _terminal(self, who: str, text: str) -> None:
        self._close()
        last = self.steps[-1] if self.steps else None
        code = _code(last.text) if last else ""
        if last is None or not code or last.tool_calls or self.trailing_inputs:
            self._told(Message(role="agent", text=text))
            return
        ended = _EXIT.match(text)
        failed = ended is not None and ended.group(1) != "0"
        status: CallStatus = "error" if failed else "ok"
        call = ToolCall(name=who, arguments={"code": code}, result=text, status=status)
        last.tool_calls = [call]

    def _told(self, message: Message) -> None:
        self._close()
        self.trailing_inputs.append(message)

    def _close(self) -> None:
        """Thoughts that nothing followed are a step of their own."""
        if self._thoughts:
            self._add(Step(reasoning="\n\n".join(self._thoughts), agent=self._thinker))

    def _add(self, step: Step) -> None:
        step.inputs, self.trailing_inputs = self.trailing_inputs, []
        self.steps.append(step)
        self._thoughts, self._thinker = [], None


def _split(name: str) -> tuple[str, str]:
    """``Orchestrator`` and ``thought`` from "Orchestrator (thought)"."""
    head, opened, aside = name.strip().rpartition("(")
    if not opened or not aside.endswith(")"):
        return name.strip(), ""
    return head.strip(), aside[:-1].strip()


def _code(text: str) -> str:
    """What stands in the closed code blocks, without the line that names the language."""
    pieces = text.split(_FENCE)
    closed = pieces[1 : len(pieces) - 1 : 2]
    return "\n".join(block.partition("\n")[2] for block in closed)
