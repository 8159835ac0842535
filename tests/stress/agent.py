"""The agent of a schedule: a model that proposes what it says, and tools that leave marks."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.tools import BaseTool, StructuredTool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

from agentcal.testing import ScriptedChatModel, call, calls
from tests.stress.schedules import TOOLS, Proposed, Schedule
from tests.stress.world import World

_MORE = 4


class ScheduleModel(ScriptedChatModel):
    """Goes on with its script whatever it is told in between."""

    def _reply(self, messages: list[BaseMessage]) -> AIMessage:
        others = [m for m in messages if not isinstance(m, HumanMessage)]
        return super()._reply([HumanMessage("go"), *others])


def model(schedule: Schedule) -> ScheduleModel:
    """It proposes turn after turn, whatever came back, and then says that it is done."""
    said: list[str | AIMessage] = [
        calls(*(call(c.tool, {"token": c.token}, call_id=c.token) for c in turn))
        for turn in schedule.turns
    ]
    return ScheduleModel(script=[*said, *["All done."] * _MORE])


def tools(schedule: Schedule, world: World, ask: Any = None) -> list[BaseTool]:
    """Each leaves a mark in the world. ``ask`` comes first: it may refuse or edit."""
    known = schedule.proposed()

    def begin(token: str, value: str) -> str:
        verdict = value if ask is None else ask(known[token], value)
        world.tick()
        return str(verdict)

    def end(token: str, value: str) -> str:
        world.effect(token, value)
        world.tick()
        return f"did {token} with {value}"

    def act(token: str, value: str = "plain") -> str:
        time.sleep(known[token].jitter_s)
        value = begin(token, value)
        return value.removeprefix("!") if value.startswith("!") else end(token, value)

    async def aact(token: str, value: str = "plain") -> str:
        await asyncio.sleep(known[token].jitter_s)
        value = begin(token, value)
        return value.removeprefix("!") if value.startswith("!") else end(token, value)

    return [
        StructuredTool.from_function(act, aact, name=name, description=f"{name} at things")
        for name in TOOLS
    ]


def hand_built(schedule: Schedule, world: World, saver: Any, ask: Any = None) -> Any:
    """Model, tools, round and round, as in the tutorials."""
    made = tools(schedule, world, ask)
    bound = model(schedule).bind_tools(made)

    def think(state: MessagesState) -> dict[str, Any]:
        world.tick()
        return {"messages": [bound.invoke(state["messages"])]}

    async def athink(state: MessagesState) -> dict[str, Any]:
        world.tick()
        return {"messages": [await bound.ainvoke(state["messages"])]}

    builder = StateGraph(MessagesState)
    builder.add_node("think", athink if schedule.asynchronous else think)
    builder.add_node("tools", ToolNode(made))
    builder.add_edge(START, "think")
    builder.add_conditional_edges("think", tools_condition)
    builder.add_edge("tools", "think")
    return builder.compile(checkpointer=saver)


def edited(proposed: Proposed) -> dict[str, Any]:
    """What a reviewer makes of a call."""
    return {"token": proposed.token, "value": f"edited-{proposed.token}"}
