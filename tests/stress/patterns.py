"""Ways to ask people before tools run: agentcal's, and the plain ones that it is compared with."""

from __future__ import annotations

import random
import time
import zlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast

from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware, ToolCallRequest
from langchain_core.messages import AIMessage
from langgraph.types import interrupt

from agentcal import Calibrator, Confidence, DecisionPoint
from agentcal.policy import Costs, CostTarget, Policy, Tiers
from agentcal_langchain import CalibrationMiddleware
from agentcal_langgraph import calibrated
from tests.stress.agent import hand_built, model, tools
from tests.stress.schedules import Proposed, Schedule
from tests.stress.world import World

TIERS = Tiers(tools={"look": "read_only", "note": "write", "wipe": "destructive"})
COSTS = Costs(
    wrong={"read_only": 0.0, "write": 6.0, "destructive": 20.0, "answer": 0.0},
    minutes=1.0,
    interruption=0.5,
    check=1.5,
    check_caught=0.8,
    abstained=3.5,
)
"""All four verdicts happen, each over a range of confidences."""

Build = Callable[[Schedule, World, Any, int], Any]


class Pattern(NamedTuple):
    """``build`` makes the graph for one process; the number is that of its calibrator."""

    name: str
    build: Build
    decisions: Callable[[Mapping[str, Any]], dict[str, Any]]


class Wavering:
    """A calibrator with other scores in every process, slow at times, broken at others."""

    def __init__(self, schedule: Schedule, number: int) -> None:
        self.fingerprint = f"wavering-{number}"
        self._seed = f"{schedule.seed}/{number}"

    def predict(self, point: DecisionPoint, **_: Any) -> Confidence:
        """A die that is thrown once for each point and calibrator."""
        seen = zlib.crc32(point.vector.tobytes())
        dice = random.Random(f"{self._seed}/{point.turn}/{seen}")
        time.sleep(dice.choice([0.0, 0.0, 0.002]))
        value = dice.random()
        if value < 0.05:
            raise RuntimeError("the calibrator broke")
        if value < 0.1:
            value = float("nan")
        return Confidence(value, 0.0, 1.0, 0.5, 0.5, True, point.kind, point.turn, self.fingerprint)


def policy() -> Policy:
    """Calls are gated, by costs, and for real."""
    return Policy.of(CostTarget(COSTS), tiers=TIERS, gated=("write", "destructive"), mode="enforce")


def _sure(schedule: Schedule, number: int, token: str) -> bool:
    """What a live score says of a call: another thing in every process."""
    return random.Random(f"{schedule.seed}/{number}/{token}").random() < 0.5


def _interrupt_in_tools(schedule: Schedule, world: World, saver: Any, number: int) -> Any:
    """The tool asks before it acts, as in the tutorials; several calls share a ToolNode."""

    def ask(proposed: Proposed, value: str) -> str:
        if proposed.tool == "look" or _sure(schedule, number, proposed.token):
            return value
        answer = interrupt({"token": proposed.token, "tool": proposed.tool})
        if answer["type"] == "edit":
            return str(answer["edited_action"]["args"]["value"])
        if answer["type"] == "approve":
            return value
        return f"!{answer['message']}"

    return hand_built(schedule, world, saver, ask)


def _when(schedule: Schedule, world: World, saver: Any, number: int) -> Any:
    """LangChain's own review, asked for where a live score is low."""

    def when(request: ToolCallRequest) -> bool:
        return not _sure(schedule, number, request.tool_call["args"]["token"])

    asks = {
        "allowed_decisions": ["approve", "edit", "reject", "respond"],
        "when": when,
    }
    review = HumanInTheLoopMiddleware(interrupt_on={"note": asks, "wipe": asks})  # type: ignore[dict-item]
    return create_agent(
        model(schedule), tools(schedule, world), middleware=[review], checkpointer=saver
    )


def _none(state: Mapping[str, Any]) -> dict[str, Any]:
    return {}


INTERRUPT_IN_TOOLS = Pattern("interrupt in tools", _interrupt_in_tools, _none)
WHEN = Pattern("when", _when, _none)
PLAIN = (INTERRUPT_IN_TOOLS, WHEN)


def _calibrated(schedule: Schedule, world: World, saver: Any, number: int) -> Any:
    plain = hand_built(schedule, world, saver)
    return calibrated(plain, calibrator=_scores(schedule, number), policy=policy())


def _calibrated_agent(schedule: Schedule, world: World, saver: Any, number: int) -> Any:
    plain = create_agent(model(schedule), tools(schedule, world), checkpointer=saver)
    return calibrated(plain, calibrator=_scores(schedule, number), policy=policy())


def _middleware(schedule: Schedule, world: World, saver: Any, number: int) -> Any:
    gate = CalibrationMiddleware(_scores(schedule, number), policy())
    return create_agent(
        model(schedule), tools(schedule, world), middleware=[gate], checkpointer=saver
    )


def _scores(schedule: Schedule, number: int) -> Calibrator:
    return cast("Calibrator", Wavering(schedule, number))


def _decided(state: Mapping[str, Any]) -> dict[str, Any]:
    """The decisions in the state of a graph by their keys, each with the call that it is about."""
    turns = (state.get("agentcal_gate") or {}).get("turns", {})
    found: dict[str, Any] = {}
    for message in state.get("messages", ()):
        if isinstance(message, AIMessage) and message.tool_calls and message.id in turns:
            decisions = turns[message.id]["decided"]["decisions"]
            for call, decision in zip(message.tool_calls, decisions, strict=True):
                found[decision["key"]] = {**decision, "token": call["args"]["token"]}
    return found


def _decided_by_middleware(state: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for record in (state.get("agentcal") or {}).values():
        for gate in record.get("gates", {}).values():
            for token, decision in zip(gate["ids"], gate["decision"]["decisions"], strict=True):
                found[decision["key"]] = {**decision, "token": token}
    return found


CALIBRATED = Pattern("calibrated", _calibrated, _decided)
CALIBRATED_AGENT = Pattern("calibrated agent", _calibrated_agent, _decided)
MIDDLEWARE = Pattern("middleware", _middleware, _decided_by_middleware)
OURS = (CALIBRATED, CALIBRATED_AGENT, MIDDLEWARE)
PATTERNS = {pattern.name: pattern for pattern in (*PLAIN, *OURS)}
