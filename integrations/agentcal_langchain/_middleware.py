"""The middleware for ``create_agent``: observing, or with a policy gating."""

from __future__ import annotations

from typing import Any, Self, cast

from langchain.agents.middleware import ModelRequest, ToolCallRequest, hook_config
from langgraph.runtime import Runtime

from agentcal import Calibrator, ConfigError
from agentcal.policy import BudgetLedger, Gate, Policy
from agentcal.recorder import Recorder
from agentcal_langchain._following import AskModel, AskTool, Model, Tool
from agentcal_langchain._gatekeeper import Gatekeeper
from agentcal_langchain._judge import Judge
from agentcal_langchain._observing import Observing
from agentcal_langchain._seat import Seat
from agentcal_langchain._state import DEFAULT_NAME, CalibrationState
from agentcal_langchain._tools import Declared
from agentcal_langgraph.building import ABSTAINED, EscalateTo, Labels, Steps, Verifier


class CalibrationMiddleware(Observing):
    """Scores every model turn of an agent, and with a policy decides what becomes of it.

    The confidence is computed once, when the model has replied and before anything it proposes is
    done, and frozen under the id of the message: :func:`agentcal_langchain.confidence_in` reads it,
    also after a resume in another process. List this middleware first, so that it sees what others
    make of a reply, and has the last word before the tools.

    Without a policy it never acts: it raises nothing and blocks on nothing. With one, decisions are
    made and frozen together with the score. In mode "shadow" that is all. In mode "enforce" a call,
    or an answer, that may not proceed does not: it is checked, a reviewer is asked (one interrupt
    with one ``HITLRequest`` for all of a turn), or the run ends. No call runs that the frozen
    decision, or the reviewer, has not let through, whatever other middleware is in the list.

    Where a ``CalibrationCallbackHandler`` of ``agentcal_langgraph`` watches the run, the handler
    records and this middleware only takes its score over. Alone, the middleware records the run
    itself. Hooks do not tell all that a handler is told: a run that fails is written once its
    thread gets a new request, five minutes have passed, or :meth:`close` is called; approvals of
    other middleware leave no trace; and agents that are not called by a tool of this one have runs
    of their own.

    Args:
        calibrator: Scores the turns; the runs are not kept. Or ``recorder``.
        policy: What to decide by; a single rule is a policy of its own, in shadow mode.
        recorder: Where the events go; its calibrator scores.
        verifier: Given a turn that is to be verified and its decisions, says True if all is well,
            else what is wrong (or False). Without one, the agent itself is asked to check.
        escalate_to: Who is asked: people, or first a stronger model for this one turn. A chat model
            is asked with the agent's tools; a function is given the messages and the turn, and
            gives the ``AIMessage`` that replaces the reply.
        ledger: Counts the questions of a ``ReviewBudget``; by default in this process.
        abstain_message: What the user is told when the gate ends a run.
        name: Two of these in one agent need different names.
        agent: Who is running; by default the agent's own name.
        group: What will be new at deployment, for all runs; see ``fit``. For a single call, say
            ``agentcal_group`` in the ``metadata`` of its config.
        family: The kind of task, likewise (``agentcal_family``). It matters to the scores of a
            calibrator that was fitted with ``categoricals=["family"]``.

    Raises:
        ConfigError: Neither or both of ``calibrator`` and ``recorder`` are given; ``policy`` is
            none; what only a policy needs is given without one. Later, when the agent is invoked:
            the policy may ask people, and the agent has no checkpointer.
    """

    def __new__(
        cls, calibrator: Calibrator | None = None, policy: Policy | None = None, **settings: Any
    ) -> Self:
        # create_agent looks at the class: an agent that is only watched gets no nodes of a gate.
        if policy is None or issubclass(cls, _Gating):
            return super().__new__(cls)
        if cls is not CalibrationMiddleware:
            raise ConfigError(f"{cls.__name__}: subclasses of CalibrationMiddleware cannot gate")
        return cast("Self", super().__new__(_Gating))

    def __init__(
        self,
        calibrator: Calibrator | None = None,
        policy: Policy | None = None,
        *,
        recorder: Recorder | None = None,
        verifier: Verifier | None = None,
        escalate_to: EscalateTo = "human",
        ledger: BudgetLedger | None = None,
        abstain_message: str = ABSTAINED,
        name: str = DEFAULT_NAME,
        agent: str | None = None,
        group: str | None = None,
        family: str | None = None,
    ) -> None:
        super().__init__(calibrator, recorder, name, Labels(agent, group, family))
        if isinstance(escalate_to, str) and escalate_to != "human":
            raise ConfigError(f'escalate_to="{escalate_to}": give "human", a model or a function')
        if policy is not None:
            self._gate(Gate(policy, ledger=ledger), verifier, escalate_to, abstain_message)
        elif (verifier, escalate_to, ledger, abstain_message) != (None, "human", None, ABSTAINED):
            raise ConfigError("verifier, escalate_to, ledger and abstain_message need a policy")

    def _gate(
        self, gate: Gate, verifier: Verifier | None, escalate_to: EscalateTo, abstain_message: str
    ) -> None:
        raise ConfigError(f"{type(self).__name__} cannot gate")  # see __new__


class _Gating(CalibrationMiddleware):
    """The form with a policy."""

    def _gate(
        self, gate: Gate, verifier: Verifier | None, escalate_to: EscalateTo, abstain_message: str
    ) -> None:
        name, declared, people = self._name, Declared(), escalate_to == "human"
        self._judge = Judge(
            gate, self._finder, name, declared, verifier=verifier, escalate_to=escalate_to
        )
        self._keeper = Gatekeeper(
            gate, name, declared, asks_people=people, abstain_message=abstain_message
        )

    def before_agent(self, state: CalibrationState, runtime: Runtime[Any]) -> dict[str, Any] | None:
        """A request came in. Raises :class:`ConfigError` where people could not be asked."""
        self._keeper.begin()
        return super().before_agent(state, runtime)

    @hook_config(can_jump_to=["model", "end"])
    def after_model(self, state: CalibrationState, runtime: Runtime[Any]) -> dict[str, Any] | None:
        """What may not go on is checked, asked about, or ended. Interrupts to ask."""
        turn = self._keeper.held(state)
        return None if turn is None else self._keeper.act(self._seat(state), state, turn)

    @hook_config(can_jump_to=["model", "end"])
    async def aafter_model(
        self, state: CalibrationState, runtime: Runtime[Any]
    ) -> dict[str, Any] | None:
        """What may not go on is checked, asked about, or ended. Interrupts to ask."""
        turn = self._keeper.held(state)
        return None if turn is None else self._keeper.act(await self._aseat(state), state, turn)

    def after_agent(self, state: CalibrationState, runtime: Runtime[Any]) -> dict[str, Any] | None:
        """The agent is done, or was stopped."""
        self._seat(state).ended(state["messages"], abstained=self._keeper.stopped(state))
        return None

    async def aafter_agent(
        self, state: CalibrationState, runtime: Runtime[Any]
    ) -> dict[str, Any] | None:
        """The agent is done, or was stopped."""
        seat = await self._aseat(state)
        seat.ended(state["messages"], abstained=self._keeper.stopped(state))
        return None

    def _turn(self, seat: Seat, request: ModelRequest[Any], ask: AskModel) -> Steps[Model]:
        return self._judge.turn(seat, request, ask)

    def _tool(self, seat: Seat, request: ToolCallRequest, ask: AskTool) -> Steps[Tool]:
        return self._keeper.tool(seat, request, ask)
