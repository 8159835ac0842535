"""Plays schedules: one process after the other, killed and started again, until all is done.

``python -m tests.stress.player PATTERN FIRST LAST`` plays them by hand and prints what went wrong.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

from langchain_core.messages import BaseMessage, ToolMessage

from tests.stress.checks import Faults, faults
from tests.stress.patterns import PATTERNS, Pattern
from tests.stress.reviewer import answer, blunder
from tests.stress.savers import async_saver, saver
from tests.stress.schedules import Schedule, schedule
from tests.stress.world import World

DONE, HOP = 0, 3
_MOST = 40
_ALARM_S = 60


def play(pattern: Pattern, seed: int) -> Faults:
    """One schedule from its beginning to its end, in a folder of its own."""
    plan = schedule(seed)
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        for number in range(_MOST):
            ended = _process(pattern, plan, number, where)
            if ended not in (HOP, -signal.SIGKILL):
                break
        told = json.loads(_messages(where).read_text(encoding="utf-8")) if ended == DONE else []
        found = faults(plan, World(where / "world.db"), told)
        return found if ended == DONE else found + Faults(broken=1)


def _process(pattern: Pattern, plan: Schedule, number: int, where: Path) -> int:
    """Fork, live, and say how it ended: an exit code, or the signal with a minus."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            signal.alarm(_ALARM_S)
            code = _live(pattern, plan, number, where)
        except BaseException:
            traceback.print_exc()
        os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _live(pattern: Pattern, plan: Schedule, number: int, where: Path) -> int:
    dies_at = plan.kills[number] if number < len(plan.kills) else None
    world = World(where / "world.db", dies_at)
    life = _life(pattern, plan, world, where)
    next(life)
    if plan.asynchronous:
        return asyncio.run(_drive_async(pattern, plan, number, world, where, life))
    graph = pattern.build(plan, world, saver(where / "checkpoints.db", world), number)
    return _drive(graph, life)


Life = Generator[Any, Any, int]
CONFIG: Any = {"configurable": {"thread_id": "one"}}


def _life(pattern: Pattern, plan: Schedule, world: World, where: Path) -> Life:
    """States of the graph in, what to invoke it with out; ends with how the process ends."""
    state = yield None
    blundered = False
    while True:
        world.saw(pattern.decisions(state.values))
        if state.values and not state.next:
            _leave(where, state.values["messages"])
            return DONE
        given: Any = None if state.values else {"messages": [("user", "go")]}
        wrong = None
        if state.interrupts:
            wrong = None if blundered else blunder(plan, state.interrupts)
            blundered = True
            given = wrong or answer(plan, world, state.interrupts)
        answered = bool(state.interrupts) and wrong is None
        state = yield given, wrong is not None
        if plan.hop and answered:
            world.saw(pattern.decisions(state.values))
            return HOP


def _drive(graph: Any, life: Life) -> int:
    try:
        while True:
            given, may_fail = life.send(graph.get_state(CONFIG))
            try:
                graph.invoke(given, CONFIG, durability="sync")
            except Exception:
                if not may_fail:
                    raise
    except StopIteration as over:
        return int(over.value)


async def _drive_async(
    pattern: Pattern, plan: Schedule, number: int, world: World, where: Path, life: Life
) -> int:
    checkpoints = await async_saver(where / "checkpoints.db", world)
    graph = pattern.build(plan, world, checkpoints, number)
    while True:
        try:
            given, may_fail = life.send(await graph.aget_state(CONFIG))
        except StopIteration as over:
            return int(over.value)
        try:
            await graph.ainvoke(given, CONFIG, durability="sync")
        except Exception:
            if not may_fail:
                raise


def _leave(where: Path, messages: Sequence[BaseMessage]) -> None:
    told = [[m.tool_call_id, m.text, m.status] for m in messages if isinstance(m, ToolMessage)]
    _messages(where).write_text(json.dumps(told), encoding="utf-8")


def _messages(where: Path) -> Path:
    return where / "messages.json"


def main() -> None:
    name, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    total = Faults()
    for seed in range(first, last):
        found = play(PATTERNS[name], seed)
        total += found
        if found.any:
            sys.stderr.write(f"schedule {seed}: {found}\n")
    sys.stdout.write(json.dumps(total._asdict()) + "\n")


if __name__ == "__main__":
    main()
