"""What becomes of a turn that is held up, as an update of the agent's state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from langchain.agents.middleware.types import JumpTo
from langchain_core.messages import AIMessage, AnyMessage, ToolMessage

from agentcal.policy import Verdict
from agentcal_langchain import _words as words
from agentcal_langchain._frozen import Frozen
from agentcal_langchain._held import Held, Item
from agentcal_langgraph.building import Answer, farewell, instead, nudge


class Act(NamedTuple):
    """``voids``: the structured response does not go out."""

    frozen: Frozen
    messages: Sequence[AnyMessage]
    jump_to: JumpTo | None = None
    voids: bool = False

    @property
    def settled(self) -> list[str]:
        """Ids of the calls that are answered here and do not run."""
        return [m.tool_call_id for m in self.messages if isinstance(m, ToolMessage)]


def stop(held: Held, why: str, text: str) -> Act:
    """Nothing runs, and the run ends with ``text``."""
    calls = [item.call for item in held.items if not item.goes_out] + [*held.others]
    told = [words.stopped(call, why) for call in calls]
    again = [_again(item.told, words.stopped(item.call, why)) for item in held.items if item.told]
    last = farewell(None if held.reply.tool_calls else held.reply, text, why)
    return Act(held.frozen.then(stopped=True), [*told, *again, last], "end", voids=True)


def settle(held: Held, answers: Sequence[Answer], text: str) -> Act:
    """What is to be checked is sent back, and what people were asked about is as they say.

    ``answers``: one for each escalated item. ``text`` is what goes out in place of an answer that
    was rejected without a word. What may run runs.
    """
    said = dict(zip((item.at for item in held.of(Verdict.ESCALATE)), answers, strict=True))
    frozen = held.frozen.then(answers=said, sent_back=bool(held.of(Verdict.VERIFY)))
    stays = [i for i in held.items if not frozen.lets_run(i.at)]
    why = held.frozen.found or ""
    messages = [_instead(held, item, said.get(item.at), why, text) for item in stays]
    out = [item for item in stays if item.goes_out]
    if not out:
        return Act(frozen, messages)
    runs = held.others or any(i not in stays and not i.goes_out for i in held.items)
    answer = said.get(out[0].at)
    if answer is None or (runs and out[0].told):
        return Act(frozen, messages, None if out[0].told else "model", voids=True)
    last = [AIMessage(answer.message or text)] if out[0].told else []
    return Act(frozen, [*messages, *last], "end", voids=True)


def _instead(held: Held, item: Item, answer: Answer | None, found: str, text: str) -> AnyMessage:
    """What is said in the place of what does not happen."""
    why = found or item.decision.reason
    if item.goes_out and item.told is None:
        if answer is None:
            return nudge(why)
        return instead(held.reply, answer.message or text)
    told = (
        words.check_first(item.call, why) if answer is None else words.reviewed(item.call, answer)
    )
    return told if item.told is None else _again(item.told, told)


def _again(told: ToolMessage, new: ToolMessage) -> ToolMessage:
    """In the place of what the agent had been told."""
    new.id = told.id
    return new
