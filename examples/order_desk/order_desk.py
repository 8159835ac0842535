"""An agent at a desk with a database: first unguarded, then behind a certified gate."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from desk import Desk
from langchain_core.tools import BaseTool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.types import Command
from rich.console import Console
from rich.progress import track
from rich.table import Table
from stand_in import StandIn
from wishes import Wish, Write, wish

import agentcal as ac
from agentcal.policy import Policy, RiskTarget
from agentcal.recorder import Recorder
from agentcal.sinks import JsonlSink
from agentcal_langgraph import CalibrationCallbackHandler, calibrated

Graph = CompiledStateGraph[Any, Any, Any, Any]


def clerk(tools: list[BaseTool]) -> Graph:
    """A graph as anybody would write it. Nothing in it knows of agentcal."""
    model = StandIn().bind_tools(tools)

    def think(state: MessagesState) -> dict[str, Any]:
        return {"messages": [model.invoke(state["messages"])]}

    builder = StateGraph(MessagesState)
    builder.add_node("think", think)
    builder.add_node("tools", ToolNode(tools, handle_tool_errors=True))
    builder.add_edge(START, "think")
    builder.add_conditional_edges("think", tools_condition)
    builder.add_edge("tools", "think")
    return builder.compile(checkpointer=InMemorySaver(), name="clerk")


class Day(NamedTuple):
    """What the database says after a day, and how often somebody was asked."""

    right_writes: int
    wrong_writes: int
    served: int
    asked: int = 0
    asked_needlessly: int = 0


def unguarded(wishes: Sequence[Wish], out: Path, name: str) -> tuple[list[ac.Trajectory], Day]:
    """A day without a gate: its runs, with the outcomes that the database tells, and a count."""
    desk, log = _desk(wishes, out, name), out / f"{name}.jsonl"
    log.unlink(missing_ok=True)
    with Recorder(sinks=[JsonlSink(log)]) as recorder:
        # The stand-in shows nobody its tools. The gate tells of them, and so must this.
        handler = CalibrationCallbackHandler(recorder, tools=desk.tools())
        graph = clerk(desk.tools()).with_config(callbacks=[handler])
        for asked in track(wishes, f"{name}, unguarded"):
            graph.invoke(_task(asked), _thread(asked))
    runs, writes = list(ac.load(log, progress=False)), desk.writes()
    right = {str(w.number): _right(w, writes) for w in wishes}
    for run in runs:
        run.outcome = ac.Outcome(value=float(right[run.conversation or ""]), source="database")
    return runs, _count(wishes, desk)


def guarded(wishes: Sequence[Wish], out: Path, calibrator: ac.Calibrator, policy: Policy) -> Day:
    """The same day behind the gate. A colleague answers what it asks."""
    desk, asked, needlessly = _desk(wishes, out, "guarded"), 0, 0
    graph = calibrated(clerk(desk.tools()), calibrator=calibrator, policy=policy)
    for want in track(wishes, "the same day, guarded"):
        state = graph.invoke(_task(want), _thread(want))
        while "__interrupt__" in state:
            (question,) = state["__interrupt__"]
            answers = [_colleague(want, desk, a) for a in question.value["action_requests"]]
            asked += len(answers)
            needlessly += sum(answer["type"] == "approve" for answer in answers)
            state = graph.invoke(Command(resume={"decisions": answers}), _thread(want))
    return _count(wishes, desk)._replace(asked=asked, asked_needlessly=needlessly)


def _colleague(want: Wish, desk: Desk, action: dict[str, Any]) -> dict[str, str]:
    """Knows what the customer wants, and looks into the books."""
    known = action["args"]
    amount = known.get("amount")
    value = known.get("address", "") if amount is None else f"{amount:.2f}"
    write = (action["name"], known["order_id"], value)
    if write in want.right and write not in desk.writes().get(want.number, []):
        return {"type": "approve"}
    return {"type": "reject", "message": "This is not what the customer asked for."}


def _count(wishes: Iterable[Wish], desk: Desk) -> Day:
    """A write counts as right once: a second refund of the same money is a wrong one."""
    right = wrong = served = 0
    found = desk.writes()
    for want in wishes:
        writes = found.get(want.number, [])
        good = len(set(writes) & set(want.right))
        right, wrong = right + good, wrong + len(writes) - good
        served += _right(want, found)
    return Day(right, wrong, served)


def _right(want: Wish, writes: dict[int, list[Write]]) -> bool:
    return tuple(writes.get(want.number, ())) == want.right


def _desk(wishes: Sequence[Wish], out: Path, name: str) -> Desk:
    path = out / f"{name}.sqlite"
    path.unlink(missing_ok=True)
    orders = [order for want in wishes for order in want.orders]
    return Desk(path, orders, slow=[want.number for want in wishes if want.slow_bank])


def _task(want: Wish) -> dict[str, Any]:
    return {"messages": [("user", want.text)]}


def _thread(want: Wish) -> dict[str, Any]:
    return {"configurable": {"thread_id": str(want.number)}}


def table(without: Day, behind: Day, requests: int) -> Table:
    """The two days beside each other."""
    found = Table(title=f"{requests} new requests, counted from the database")
    for column in ("", "unguarded", "behind the gate"):
        found.add_column(column, justify="left" if not column else "right")
    rows = {
        "wrong writes": "wrong_writes",
        "right writes": "right_writes",
        "requests served without a mistake": "served",
        "questions to a colleague": "asked",
        "  of them about writes that were right": "asked_needlessly",
    }
    for label, field in rows.items():
        found.add_row(label, str(getattr(without, field)), str(getattr(behind, field)))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("order-desk"))
    parser.add_argument("--runs", type=int, default=120, help="to learn from, and to certify on")
    parser.add_argument("--requests", type=int, default=100, help="of the day that is guarded")
    parser.add_argument("--max-failure-rate", type=float, default=0.1)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    console, n = Console(), given.runs

    past, _ = unguarded([wish(i) for i in range(n)], given.out, "past")
    calibrator = ac.fit(past, progress=False, nested=False)
    calibrator.save(given.out / "clerk.json")

    others, _ = unguarded([wish(i) for i in range(n, 2 * n)], given.out, "others")
    wanted = Policy.of(RiskTarget(given.max_failure_rate), gated=("write", "destructive"))
    policy = ac.certify(wanted, calibrator, others, progress=False)
    policy.save(given.out / "policy.json")
    console.print(str(policy), markup=False, highlight=False, soft_wrap=True)

    day = [wish(i) for i in range(10_000, 10_000 + given.requests)]
    _, without = unguarded(day, given.out, "today")
    behind = guarded(day, given.out, calibrator, policy.enforce())
    console.print(table(without, behind, len(day)))


if __name__ == "__main__":
    main()
