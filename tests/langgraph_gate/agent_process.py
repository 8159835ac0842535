"""A gated agent in a process of its own: run it, kill it, go on in another one.

``python agent_process.py DATABASE LOG DIES_AT GIVEN SCORE``: GIVEN is "start", "go", or the JSON of
an answer; prints what came out as one line of JSON.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import sys
from typing import Any

from langchain_core.tools import tool
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Command

from agentcal.testing import ScriptedChatModel, call, calls, react_graph
from agentcal_langgraph import calibrated, decisions_in
from tests.langgraph_gate.gates import Says, always


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class DyingSaver(SqliteSaver):
    """Dies when the graph is about to keep what its tools gave, or the state that followed."""

    dies_at = ""

    def put_writes(self, config: Any, writes: Any, *rest: Any) -> None:
        at_root = config["configurable"]["checkpoint_ns"] == ""
        results = [value for channel, value in writes if channel == "messages" and at_root]
        if self.dies_at == "results" and "ToolMessage" in str(results and type(results[0][-1])):
            _die()
        super().put_writes(config, writes, *rest)

    def put(self, config: Any, checkpoint: Any, metadata: Any, versions: Any) -> Any:
        step = metadata.get("step")
        if config["configurable"]["checkpoint_ns"] == "" and self.dies_at == f"step {step}":
            _die()
        return super().put(config, checkpoint, metadata, versions)


def agent(database: str, log: str, dies_at: str, score: float, saver_type: Any = DyingSaver) -> Any:
    """A graph that proposes two calls, which write to ``log``, and then is done."""

    @tool
    def act(n: int) -> str:
        """Write a number down."""
        if dies_at == f"before {n}":
            _die()
        with open(log, "a", encoding="utf-8") as file:
            file.write(f"{n} ")
            file.flush()
            os.fsync(file.fileno())
        if dies_at == f"after {n}":
            _die()
        return f"did {n}"

    saver = saver_type(sqlite3.connect(database, check_same_thread=False))
    saver.dies_at = dies_at
    model = ScriptedChatModel(script=[calls(call("act", {"n": 1}), call("act", {"n": 2})), "done"])
    return calibrated(
        react_graph(model, [act], checkpointer=saver),
        policy=always("escalate", "act" if score < 0.5 else "none"),
        calibrator=Says(score),
    )


def step(graph: Any, given: Any) -> dict[str, Any]:
    """Run it, and say how it stands."""
    config = {"configurable": {"thread_id": "t"}}
    found = graph.invoke(given, config)
    decisions = decisions_in(graph.get_state(config).values)
    return {
        "asked": [r["description"] for i in found.get("__interrupt__", ()) for r in _requests(i)],
        "args": [r["args"] for i in found.get("__interrupt__", ()) for r in _requests(i)],
        "ids": [i.id for i in found.get("__interrupt__", ())],
        "said": [(type(m).__name__, m.text) for m in found["messages"]],
        "decided": [decision.model_dump(mode="json") for decision in decisions],
    }


def _requests(interrupt: Any) -> Any:
    return interrupt.value["action_requests"]


if __name__ == "__main__":
    database, log, dies_at, given, score = sys.argv[1:]
    inputs: dict[str, Any] = {"start": {"messages": [("user", "go")]}, "go": None}
    what = inputs[given] if given in inputs else Command(resume=json.loads(given))
    print(json.dumps(step(agent(database, log, dies_at, float(score)), what)))  # noqa: T201
