"""A call that may have run is never run again in silence, and one that has run never at all."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from langchain.agents.middleware import AgentMiddleware
from langchain_core.tools import StructuredTool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Command, interrupt

from agentcal.policy import Always, Policy, Verdict
from agentcal.testing import call, calls
from agentcal_langchain import CalibrationMiddleware
from tests.langchain.agents import Watched, agent, on
from tests.langchain_gate.desk import (
    APPROVE,
    ASK,
    REJECT,
    RESPOND,
    WAYS,
    Steady,
    is_well_formed,
    last_words,
    results,
)

POLICY = Policy.of(Always(verdict=Verdict.ESCALATE, tools=("another",)), mode="enforce")
SCRIPT: list[Any] = [calls(call("pay", {"amount": 30}, call_id="p")), "Done."]


class Died(BaseException):
    """What a process sees of its own end: nothing is caught, nothing is written."""


class Shop:
    """An agent with a tool that does something and may die of it."""

    def __init__(
        self,
        *,
        deaths: int = 1,
        asks: bool = False,
        reads: bool = False,
        before: tuple[Any, ...] = (),
        policy: Policy = POLICY,
        saver: Any = None,
    ) -> None:
        self.paid: list[Any] = []
        self.deaths, self.asks = deaths, asks
        self.watched = Watched(Steady())
        self.gate = CalibrationMiddleware(recorder=self.watched.recorder, policy=policy)
        hints = {"readOnlyHint": reads, "destructiveHint": not reads}
        tool = StructuredTool.from_function(self.pay, metadata=hints)
        self.graph = agent(
            [*before, self.gate], SCRIPT, [tool], checkpointer=saver or InMemorySaver()
        )

    def pay(self, amount: int) -> str:
        """Pay somebody."""
        said = interrupt("which account?") if self.asks else None
        self.paid.append(amount)
        if len(self.paid) <= self.deaths:
            raise Died
        return f"paid {amount}" if said is None else f"paid {amount} from {said}"

    def run(self, given: Any, way: str = "invoke") -> None:
        with contextlib.suppress(Died, asyncio.CancelledError):
            WAYS[way](self.graph, given, on("t-1", max_concurrency=1))

    def state(self) -> Any:
        return self.graph.get_state(on("t-1")).values

    def waiting(self) -> list[Any]:
        return [asked.value for asked in self.graph.get_state(on("t-1")).interrupts]


AFTER = [
    (APPROVE, [30, 30], "success", "paid 30"),
    (RESPOND, [30], "success", "I did it by hand."),
    (REJECT, [30], "error", "it may have taken effect"),
]


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
@pytest.mark.parametrize(("answer", "paid", "status", "text"), AFTER)
def test_somebody_is_asked_about_a_call_in_doubt(
    answer: Any, paid: Any, status: str, text: str, way: str
) -> None:
    shop = Shop()
    shop.run(ASK, way)
    assert (shop.paid, shop.waiting()) == ([30], [])
    shop.run(None, way)
    assert shop.paid == [30]
    (asked,) = shop.waiting()
    (action,), (config,) = asked["action_requests"], asked["review_configs"]
    assert action["description"].startswith("This call may have run")
    assert config["allowed_decisions"] == ["approve", "reject", "respond"]
    shop.run(Command(resume={"decisions": [{"type": "edit"}]}), way)
    assert "could not be used" in shop.waiting()[0]["action_requests"][0]["description"]
    shop.run(Command(resume={"decisions": [answer]}), way)
    assert shop.paid == paid
    ((found, said),) = results(shop.state())
    assert (found, text in said) == (status, True)
    assert (last_words(shop.state()), is_well_formed(shop.state())) == ("Done.", True)


def test_who_said_so_is_in_the_record() -> None:
    shop = Shop()
    shop.run(ASK)
    shop.run(None)
    shop.run(Command(resume={"decisions": [RESPOND]}))
    (run,) = shop.watched.runs()
    told = [(one.kind, one.detail) for one in run.interventions if one.kind != "resumed"]
    assert told == [("responded", "I did it by hand.")]


def test_it_may_die_again_and_is_in_doubt_again() -> None:
    shop = Shop(deaths=2)
    shop.run(ASK)
    shop.run(None)
    shop.run(Command(resume={"decisions": [APPROVE]}))
    assert shop.paid == [30, 30]
    shop.run(None)
    assert shop.paid == [30, 30]
    assert len(shop.waiting()) == 1
    shop.run(Command(resume={"decisions": [APPROVE]}))
    assert (shop.paid, last_words(shop.state())) == ([30] * 3, "Done.")


@pytest.mark.parametrize("said", ["my own", APPROVE, {"decisions": [APPROVE]}], ids=str)
def test_what_the_tool_was_told_is_no_answer_to_the_doubt(said: Any) -> None:
    """LangGraph gives the answers in a task away in order, whoever asks."""
    shop = Shop(asks=True)
    shop.run(ASK)
    assert shop.waiting() == ["which account?"]
    shop.run(Command(resume=said))
    assert shop.paid == [30]
    shop.run(None)
    assert shop.paid == [30]
    (asked,) = shop.waiting()
    assert asked["action_requests"][0]["description"].startswith("This call may have run")
    shop.run(Command(resume={"decisions": [APPROVE]}))
    assert shop.waiting() == ["which account?"]
    shop.run(Command(resume="another"))
    assert (shop.paid, results(shop.state())) == ([30, 30], [("success", "paid 30 from another")])
    (run,) = shop.watched.runs()
    assert [one.kind for one in run.interventions if one.kind != "resumed"] == ["approved"]


def test_a_tool_that_asks_is_not_in_doubt() -> None:
    shop = Shop(asks=True, deaths=0)
    shop.run(ASK)
    shop.run(Command(resume="my own"))
    assert results(shop.state()) == [("success", "paid 30 from my own")]


class Dies(AgentMiddleware[Any, Any, Any]):
    """Around the gate: the process ends when the tool is done and nobody knows yet."""

    def __init__(self) -> None:
        super().__init__()
        self.left = 1

    def wrap_tool_call(self, request: Any, handler: Any) -> Any:
        output = handler(request)
        self.left -= 1
        if self.left == 0:
            raise Died
        return output

    async def awrap_tool_call(self, request: Any, handler: Any) -> Any:
        output = await handler(request)
        self.left -= 1
        if self.left == 0:
            raise Died
        return output


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
def test_what_has_run_gives_what_it_gave(way: str) -> None:
    shop = Shop(deaths=0, before=(Dies(),))
    shop.run(ASK, way)
    assert (shop.paid, results(shop.state())) == ([30], [])
    shop.run(None, way)
    assert (shop.paid, results(shop.state())) == ([30], [("success", "paid 30")])
    assert last_words(shop.state()) == "Done."


def test_what_only_reads_is_read_again() -> None:
    shop = Shop(reads=True)
    shop.run(ASK)
    shop.run(None)
    assert (shop.paid, shop.waiting(), last_words(shop.state())) == ([30, 30], [], "Done.")


def test_in_shadow_nothing_is_kept() -> None:
    shop = Shop(policy=POLICY.shadow())
    shop.run(ASK)
    shop.run(None)
    assert (shop.paid, shop.waiting()) == ([30, 30], [])


def test_an_error_is_no_doubt() -> None:
    shop = Shop(deaths=0)
    fails = [ValueError("down"), None]

    def pay(amount: int) -> str:
        """Pay somebody."""
        shop.paid.append(amount)
        error = fails.pop(0)
        if error is not None:
            raise error
        return "paid"

    tool = StructuredTool.from_function(pay)
    graph = agent([shop.gate], SCRIPT, [tool], checkpointer=InMemorySaver())
    with pytest.raises(ValueError, match="down"):
        graph.invoke(ASK, on("t-1"))
    state = graph.invoke(None, on("t-1"))
    assert (shop.paid, results(state)) == ([30, 30], [("success", "paid")])


def test_a_call_that_was_cancelled_is_in_doubt() -> None:
    paid: list[int] = []
    shop = Shop()

    def pay(amount: int) -> str:
        """Pay somebody."""
        return ""

    async def apay(amount: int) -> str:
        """Pay somebody."""
        paid.append(amount)
        await asyncio.sleep(30)
        return "paid"

    tool = StructuredTool.from_function(pay, apay)
    graph = agent([shop.gate], SCRIPT, [tool], checkpointer=InMemorySaver())

    async def stopped() -> Any:
        running = asyncio.create_task(graph.ainvoke(ASK, on("t-1")))
        while not paid:
            await asyncio.sleep(0.01)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        return await graph.ainvoke(None, on("t-1"))

    state = asyncio.run(stopped())
    assert paid == [30]
    assert "may have run" in state["__interrupt__"][0].value["action_requests"][0]["description"]


KILLED = """
import os, signal, sqlite3, sys
from pathlib import Path
from langchain_core.tools import StructuredTool
from langgraph.checkpoint.sqlite import SqliteSaver
from tests.langchain_gate.test_once import ASK, POLICY, SCRIPT
from tests.langchain_gate.desk import Steady
from tests.langchain.agents import agent, on
from agentcal_langchain import CalibrationMiddleware

folder = Path(sys.argv[1])

def pay(amount: int) -> str:
    "Pay somebody."
    (folder / "paid").write_text(str(amount))
    os.kill(os.getpid(), signal.SIGKILL)

saver = SqliteSaver(sqlite3.connect(folder / "threads.db", check_same_thread=False))
gate = CalibrationMiddleware(Steady(), POLICY)
graph = agent([gate], SCRIPT, [StructuredTool.from_function(pay)], checkpointer=saver)
graph.invoke(ASK, on("t-1"), durability="sync")
"""


def test_a_process_that_is_killed_leaves_a_doubt(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run(  # noqa: S603 - our own interpreter and script
        [sys.executable, "-c", KILLED, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": f"{root}:{root / 'integrations'}"},
        cwd=root,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert (tmp_path / "paid").read_text() == "30"
    connection = sqlite3.connect(tmp_path / "threads.db", check_same_thread=False)
    shop = Shop(deaths=0, saver=SqliteSaver(connection))
    shop.run(None)
    assert "may have run" in str(shop.waiting())
    shop.run(Command(resume={"decisions": [RESPOND]}))
    assert (shop.paid, results(shop.state())) == ([], [("success", "I did it by hand.")])
    connection.close()
