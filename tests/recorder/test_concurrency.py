"""Many runs at once are recorded as each would be alone, and leave nothing behind."""

from __future__ import annotations

import asyncio
import gc
import random
import threading
import time
import tracemalloc
import weakref
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import pytest

import agentcal as ac
from agentcal.calibration import Calibrator
from agentcal.recorder import QuietObserver, Recorder, Run
from agentcal.sinks import CallbackSink, MemorySink

from .agents import Script, asks, begin, call, gated, same, work

FEW, MANY = (20, 10), (200, 50)
Sizes = pytest.mark.parametrize(
    "size", [FEW, pytest.param(MANY, marks=pytest.mark.long)], ids=["few", "many"]
)


@cache
def alone(seed: int, turns: int) -> ac.Trajectory:
    return work(begin(Recorder(), Script(seed, turns)), Script(seed, turns))


def check(sink: MemorySink, size: tuple[int, int]) -> None:
    runs, turns = size
    assert len(sink.runs) == runs
    got = {run.run_id: run for run in sink.runs}
    for seed in range(runs):
        assert got[f"run-{seed}"] == alone(seed, turns)


@Sizes
def test_in_threads(size: tuple[int, int]) -> None:
    runs, turns = size
    sink = MemorySink()

    def one(seed: int) -> None:
        dice = random.Random(seed)

        def pause() -> None:
            time.sleep(0.0002 if dice.random() < 0.3 else 0)

        work(begin(recorder, Script(seed, turns)), Script(seed, turns), pause)

    with Recorder(sinks=[sink]) as recorder, ThreadPoolExecutor(min(runs, 64)) as pool:
        list(pool.map(one, range(runs)))
    check(sink, size)
    assert (recorder.stats.ended, recorder.stats.errors) == (runs, 0)


@Sizes
def test_in_asyncio(size: tuple[int, int]) -> None:
    """The calls of a turn run side by side, and come back in any order."""
    runs, turns = size
    sink = MemorySink()

    async def tool(run: Run, dice: random.Random, call_id: str, text: str, status: str) -> None:
        run.called(call_id)
        await asyncio.sleep(dice.choice((0, 0, 0.0005)))
        run.returned(call_id, text, status, 0.5)  # type: ignore[arg-type]

    async def one(seed: int) -> None:
        dice, script = random.Random(seed), Script(seed, turns)
        run = begin(recorder, script)
        for told, step, results in script.steps():
            for text in told:
                run.message(text)
            run.replied(step)
            await asyncio.gather(*(tool(run, dice, *result) for result in results))
        run.ended()

    async def everyone() -> None:
        await asyncio.gather(*(one(seed) for seed in range(runs)))

    with Recorder(sinks=[sink]) as recorder:
        asyncio.run(everyone())
    check(sink, size)


def test_scores_under_load_are_those_of_the_record(calibrator: Calibrator) -> None:
    seen: dict[int, list[float]] = {}

    def one(seed: int) -> ac.Trajectory:
        run, mine = begin(recorder, Script(seed, 5)), seen.setdefault(seed, [])

        def look() -> None:
            assert run.confidence is not None
            mine.append(run.confidence.value)

        return work(run, Script(seed, 5), look)

    with Recorder(calibrator) as recorder, ThreadPoolExecutor(8) as pool:
        wholes = list(pool.map(one, range(16)))
    for seed, whole in enumerate(wholes):
        expected = [confidence.value for confidence in calibrator.score(whole)[:-1]]
        assert list(dict.fromkeys(seen[seed])) == list(dict.fromkeys(expected))
    assert recorder.stats.unavailable == 0


def test_agents_in_one_run_side_by_side() -> None:
    """Threads share a run: every turn and result is there once, and the last row is right."""
    alone = threading.Lock()
    overlaps = []

    class Watches(QuietObserver):
        def replied(self, *_: object) -> None:
            overlaps.append(not alone.acquire(blocking=False))
            time.sleep(0.0005)
            alone.release()

    run = Recorder(observers=[Watches()]).start(run_id="r")

    def agent(name: str) -> None:
        for n in range(25):
            call_id = f"{name}{n}"
            run.replied(asks(call(call_id), text=f"turn {n}", agent=name))
            time.sleep(0)
            run.decision()
            run.returned(call_id, f"result {call_id}")

    threads = [threading.Thread(target=agent, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    got = run.trajectory()
    for name in "abcd":
        mine = [step for step in got.steps if step.agent == name]
        assert [step.text for step in mine] == [f"turn {n}" for n in range(25)]
        assert [c.result for s in mine for c in s.tool_calls] == [
            f"result {name}{n}" for n in range(25)
        ]
    assert len(got.steps) == 100
    assert overlaps == [False] * 100
    assert same(run.decision(), gated(got)[-1])


@Sizes
def test_memory_returns_to_its_start(size: tuple[int, int], calibrator: Calibrator) -> None:
    runs, turns = size
    handles: list[weakref.ref[Run]] = []
    counted: list[str] = []
    recorder = Recorder(calibrator, sinks=[CallbackSink(lambda run: counted.append(run.run_id))])

    def crowd(ends: bool) -> list[Run]:
        open_ = [begin(recorder, Script(seed, turns), task="x" * 5000) for seed in range(runs)]
        handles.extend(map(weakref.ref, open_))
        for run in open_:
            for n in range(turns):
                run.replied(asks(call(f"{n}"), text=f"I look at {n} of {turns}"))
                run.returned(f"{n}", f"{n} is fine, user{n}@x.org " * 4)
            if ends:
                run.ended()
        return open_

    def settled() -> int:
        while recorder._keeper._writer._queue.qsize():
            time.sleep(0.01)
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    crowd(ends=True)  # caches of the fold and the calibrator fill up
    tracemalloc.start()
    try:
        before = settled()
        held = crowd(ends=False)
        full = settled() - before
        for run in held:
            run.ended()
        del run, held
        left = settled() - before
    finally:
        tracemalloc.stop()
    assert full > 1000 * runs * turns
    assert left < 0.02 * full
    assert not any(handle() for handle in handles)
    assert len(recorder._keeper._open) == 0
    recorder.close()
    assert len(counted) == 2 * runs
