"""Random turns, verdicts, answers and processes: what runs is what was let through, once each."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain.agents.middleware import (
    HumanInTheLoopMiddleware,
    ToolCallLimitMiddleware,
    ToolRetryMiddleware,
)
from langchain_core.messages import ToolMessage
from langchain_core.tools import StructuredTool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from agentcal.policy import Always, Policy, Tiers, Verdict
from agentcal.testing import call, calls
from agentcal_langchain import CalibrationMiddleware, decisions_in
from tests.langchain.agents import agent, on
from tests.langchain_gate.desk import ASK, Steady, is_well_formed

TOOLS = ("look", "check", "pay", "wipe")
VERDICTS = {"check": Verdict.VERIFY, "pay": Verdict.ESCALATE, "wipe": Verdict.ESCALATE}
POLICY = Policy.of(
    Always(verdict=Verdict.VERIFY, tools=("check",)),
    Always(verdict=Verdict.ESCALATE, tools=("pay", "wipe")),
    mode="enforce",
    max_checks=99,
    tiers=Tiers(tools={"look": "read_only", "check": "write", "pay": "write", "wipe": "write"}),
)
LATER = [POLICY, POLICY.shadow(), Policy.of(Always(verdict=Verdict.ABSTAIN, tools=("x",)))]
OTHERS: list[Any] = [
    lambda: ToolRetryMiddleware(initial_delay=0, jitter=False),
    lambda: ToolCallLimitMiddleware(run_limit=99),
    lambda: HumanInTheLoopMiddleware({"look": False}),
]


class Plan(NamedTuple):
    """``turns``: the tools of each. ``answers``: for all that is asked. ``noise``: said before."""

    turns: list[list[str]]
    answers: list[str]
    noise: list[Any]
    others: list[Any]
    last: bool
    asynchronous: bool
    later: Policy


PLANS = st.builds(
    Plan,
    turns=st.lists(st.lists(st.sampled_from(TOOLS), min_size=1, max_size=6), max_size=3),
    answers=st.lists(
        st.sampled_from(["approve", "reject", "respond", "edit"]), min_size=18, max_size=18
    ),
    noise=st.lists(st.sampled_from([True, {"decisions": []}, "yes"]), max_size=2),
    others=st.lists(st.sampled_from(OTHERS), unique=True, max_size=2),
    last=st.booleans(),
    asynchronous=st.booleans(),
    later=st.sampled_from(LATER),
)


class World:
    """One thread, its effects, and a new process for every step."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.saver, self.ran = plan, InMemorySaver(), []  # type: ignore[var-annotated]
        self.expected: list[str] = []
        self.answers = iter(plan.answers)
        self.scores = iter(range(1, 99))
        self.tools = [self._tool(name) for name in TOOLS]

    def script(self) -> list[Any]:
        """Every call has arguments of its own."""
        turns = [
            calls(*(call(name, {"what": f"{t}.{i}"}) for i, name in enumerate(names)))
            for t, names in enumerate(self.plan.turns)
        ]
        return [*turns, "Done."]

    def process(self, policy: Policy) -> Any:
        gate = CalibrationMiddleware(Steady(1 / (1 + next(self.scores))), policy)  # type: ignore[arg-type]
        others = [make() for make in self.plan.others]
        stack = [*others, gate] if self.plan.last else [gate, *others]
        return agent(stack, self.script(), self.tools, checkpointer=self.saver)

    def step(self, graph: Any, given: Any) -> None:
        if self.plan.asynchronous:
            asyncio.run(graph.ainvoke(given, on("t-1")))
        else:
            graph.invoke(given, on("t-1"))

    def answer(self, graph: Any) -> None:
        """What people say, and what has to come of it."""
        (asked,) = graph.get_state(on("t-1")).interrupts
        decisions = []
        for one in asked.value["action_requests"]:
            kind, what = next(self.answers), one["args"]["what"]
            edited = {"name": one["name"], "args": {"what": f"{what}!"}}
            said = {"edit": {"edited_action": edited}, "respond": {"message": "so be it"}}
            decisions.append({"type": kind, **said.get(kind, {})})
            ran = {"approve": [what], "edit": [f"{what}!"]}
            self.expected += [f"{one['name']} {w}" for w in ran.get(kind, [])]
        for noise in self.plan.noise:
            self.step(graph, Command(resume=noise))
        self.step(graph, Command(resume={"decisions": decisions}))

    def _tool(self, name: str) -> Any:
        def run(what: str) -> str:
            """Do it."""
            self.ran.append(f"{name} {what}")
            return "done"

        async def arun(what: str) -> str:
            """Do it."""
            await asyncio.sleep(0)
            return run(what)

        return StructuredTool.from_function(run, arun, name=name)


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(PLANS)
def test_what_runs_is_what_was_let_through(plan: Plan) -> None:
    world = World(plan)
    world.step(world.process(POLICY), ASK)
    seen: list[Any] = []
    graph = world.process(POLICY)
    while graph.get_state(on("t-1")).interrupts:
        world.answer(graph)
        found = decisions_in(graph.get_state(on("t-1")).values)
        assert found[: len(seen)] == seen
        seen, graph = found, world.process(POLICY)
    free = [
        f"look {t}.{i}"
        for t, names in enumerate(plan.turns)
        for i, n in enumerate(names)
        if n == "look"
    ]
    assert sorted(world.ran) == sorted([*world.expected, *free])
    state = graph.get_state(on("t-1")).values
    assert is_well_formed(state)
    assert state["messages"][-1].text == "Done."
    told = [m for m in state["messages"] if isinstance(m, ToolMessage)]
    assert len(told) == sum(map(len, plan.turns))
    assert len(decisions_in(state)) == len(plan.turns) + 1


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(PLANS)
def test_whatever_process_resumes_only_what_people_let_through_runs(plan: Plan) -> None:
    """Another policy decides about later turns only: the waiting one is as it was decided."""
    world = World(plan)
    world.step(world.process(POLICY), ASK)
    graph = world.process(plan.later)
    if not graph.get_state(on("t-1")).interrupts:
        return
    waits = graph.get_state(on("t-1")).values["messages"][-1].tool_calls
    turn = waits[0]["args"]["what"].split(".")[0]
    world.answer(graph)
    free = [f"look {c['args']['what']}" for c in waits if c["name"] == "look"]
    ran = [one for one in world.ran if one.split()[1].startswith(f"{turn}.")]
    assert sorted(ran) == sorted([*world.expected, *free])
