"""tau2-bench results: one document an experiment. https://github.com/sierra-research/tau2-bench"""

from __future__ import annotations

from typing import Any, ClassVar

from agentcal._fields import as_text, name_of
from agentcal.errors import FormatError
from agentcal.formats._chat import Conversation
from agentcal.formats._declarations import declarations
from agentcal.formats._fields import moment, outcome
from agentcal.formats._format import Context, Record
from agentcal.formats._tau2_messages import seen_by_agent, to_step
from agentcal.trajectory import EndReason, Outcome, Trajectory

_ENDS: dict[str, EndReason] = {
    "user_stop": "answered",
    "agent_stop": "answered",
    "max_steps": "max_steps",
    "timeout": "interrupted",
    "context_window_exceeded": "error",
}
_NOT_EVALUATED = ("infrastructure_error", "context_window_exceeded")
_KEPT = ("task_id", "trial", "seed", "termination_reason", "agent_cost", "duration")


class Tau2Bench:
    """The label is ``reward_info.reward``, the group domain and task id.

    What the benchmark knows (tasks, user scenarios, evaluation criteria, checks, reviews) and what
    the simulated user did with tools of its own is left behind: the agent saw neither. Simulations
    that the benchmark itself does not count are kept without an outcome.
    """

    name: ClassVar[str] = "tau2"
    about: ClassVar[str] = 'tau2-bench: {"info": ..., "tasks": [...], "simulations": [...]}'

    def sniff(self, record: Record) -> bool:
        """A whole results file, a part of one, or one of its simulations."""
        if not isinstance(record, dict):
            return False
        simulations = record.get("simulations")
        if isinstance(simulations, list):
            return "tasks" in record or "info" in record
        return _is_simulation(record.get("simulation", record))

    def split(self, record: Record) -> list[Record] | None:
        """The simulations, each with what the file says about all of them."""
        simulations = record.get("simulations") if isinstance(record, dict) else None
        if not isinstance(record, dict) or not isinstance(simulations, list):
            return None
        shared = {"info": record.get("info"), "tickets": _tickets(record.get("tasks"))}
        return [{"simulation": simulation, **shared} for simulation in simulations]

    def read(self, record: Record, context: Context) -> Trajectory:
        """Read one simulation."""
        if not isinstance(record, dict) or not isinstance(record.get("simulation", {}), dict):
            raise FormatError("a simulation is not an object")
        run = record.get("simulation", record)
        about = _About(record.get("info") if "simulation" in record else None)
        if run.get("messages") is None and run.get("ticks"):
            raise FormatError("a full-duplex voice run has ticks and no messages; it is not read")
        chat = Conversation(seen_by_agent(run.get("messages") or []), context, step=to_step)
        task, why = as_text(run.get("task_id")), as_text(run.get("termination_reason"))
        tickets = _object(record.get("tickets"))
        return Trajectory(
            run_id=name_of(run.get("id")) or f"{context.stem}/{task}/{as_text(run.get('trial'))}",
            group=f"{about.domain}/{task}" if about.domain else task,
            family=about.domain or None,
            agent=about.agent or context.stem,
            model=about.model,
            task=chat.task or (as_text(tickets.get(task)) if about.works_alone else ""),
            system=as_text(run.get("policy")) or about.policy or chat.system,
            tools=declarations(about.tools, context),
            steps=chat.steps,
            trailing_inputs=chat.trailing_inputs,
            end_reason=_ENDS.get(why, "error" if "error" in why else chat.end_reason),
            outcome=_label(run, why, context),
            started_at=moment(run.get("start_time"), context),
            metadata={
                **{key: run[key] for key in _KEPT if run.get(key) is not None},
                **({"domain": about.domain} if about.domain else {}),
            },
        )


class _About:
    """What a results file says of agent and domain in ``info``."""

    def __init__(self, info: Any) -> None:
        agent = _object(_object(info).get("agent_info"))
        world = _object(_object(info).get("environment_info"))
        self.model = name_of(agent.get("llm"))
        kind = name_of(agent.get("implementation"))
        self.agent = f"{kind}/{self.model}" if kind and self.model else kind or self.model
        self.works_alone = "solo" in (kind or "")
        self.domain = name_of(world.get("domain_name"))
        self.policy = as_text(world.get("policy"))
        self.tools = _signatures(world.get("tool_defs"))


def _signatures(tools: Any) -> Any:
    """Tools are kept by name, as ``{"name", "doc", "params"}``."""
    if not isinstance(tools, dict):
        return tools
    return [
        {"name": name, "description": _object(t).get("doc"), "parameters": _object(t).get("params")}
        for name, t in tools.items()
    ]


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_simulation(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and "task_id" in value
        and ("messages" in value or "ticks" in value)
        and ("reward_info" in value or "termination_reason" in value)
    )


def _tickets(tasks: Any) -> dict[str, Any]:
    """The tickets by task id: all that an agent without a user is told."""
    found = tasks if isinstance(tasks, list) else []
    return {as_text(t.get("id")): t["ticket"] for t in found if _object(t).get("ticket")}


def _label(run: dict[str, Any], why: str, context: Context) -> Outcome | None:
    if why in _NOT_EVALUATED:
        context.note("run was not evaluated", why, "Kept without an outcome, as tau2-bench does.")
        return None
    reward = _object(run.get("reward_info")).get("reward")
    return outcome(reward, "tau2-bench reward", context)
