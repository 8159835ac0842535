"""Rules put together: what happens to each step of an agent."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from agentcal._artefact import POLICY, digest, read_artefact, write_artefact
from agentcal._seen import Seen
from agentcal.errors import ArtefactError, ConfigError
from agentcal.policy._alarm import Alarm
from agentcal.policy._always import Always
from agentcal.policy._budget import ReviewBudget
from agentcal.policy._certificate import Certificate
from agentcal.policy._costs import CostTarget
from agentcal.policy._decide import decide, judge, subjects_of
from agentcal.policy._decision import Mode, TurnDecision
from agentcal.policy._ledger import BudgetLedger
from agentcal.policy._model import Part, first
from agentcal.policy._names import TierSet
from agentcal.policy._risk import RiskTarget
from agentcal.policy._ruling import Ruling
from agentcal.policy._tiers import Tier, Tiers
from agentcal.policy._turn import GatedTurn, Subject
from agentcal.policy._verdict import Verdict

AnyRule = Annotated[RiskTarget | CostTarget | Alarm | Always, Field(discriminator="type")]
AnyPart = RiskTarget | CostTarget | Alarm | Always | ReviewBudget

_GATED: tuple[Tier, ...] = ("answer", "destructive", "write")
_IRRELEVANT = frozenset({"mode", "budget", "max_checks", "after_checks", "seen"})
"""What a certificate does not rest on: in a run that was not checked, and only such runs are
certified, none of these makes "proceed" of another verdict or the other way round."""


class Policy(Part):
    """What to do about each step: the strictest of its rules, within its budget.

    ``gated``: the tiers that are ruled on (``write`` stands for ``destructive`` too); steps of
    others proceed, unless an :class:`Alarm` has sounded or an :class:`Always` names them. ``mode``:
    "shadow" decides and records, and stops nothing. ``without_score``: the verdict on a gated step
    without a usable confidence. ``max_checks``: how often one run may be sent back to check; then
    ``after_checks`` instead. ``seen``: the runs that it was certified on, which ``replay`` knows
    again and leaves out.
    Immutable, plain JSON. Raises :class:`ConfigError` for fields that do not fit.
    """

    rules: tuple[AnyRule, ...]
    budget: ReviewBudget | None = None
    tiers: Tiers = Field(default_factory=Tiers)
    gated: TierSet = _GATED
    mode: Mode = "shadow"
    without_score: Verdict = Verdict.ESCALATE
    max_checks: int = Field(default=1, ge=0)
    after_checks: Verdict = Verdict.ESCALATE
    seen: Seen | None = None

    @classmethod
    def of(cls, *parts: AnyPart, **rest: Any) -> Self:
        """Put rules, and at most one budget, together; ``rest`` are fields of the policy.

        Raises :class:`ConfigError` for parts that do not fit together.
        """
        budgets = [part for part in parts if isinstance(part, ReviewBudget)]
        rules = tuple(part for part in parts if not isinstance(part, ReviewBudget))
        if len(budgets) > 1:
            raise ConfigError("a policy has one ReviewBudget at most: which of these is the cap?")
        return cls(rules=rules, budget=budgets[0] if budgets else None, **rest)

    @field_validator("rules")
    @classmethod
    def _fitting(cls, rules: tuple[AnyRule, ...]) -> tuple[AnyRule, ...]:
        if not rules:
            raise ValueError("a policy needs a rule, such as RiskTarget(0.05)")
        for kind in (RiskTarget, CostTarget, Alarm):
            if sum(isinstance(rule, kind) for rule in rules) > 1:
                raise ValueError(f"two rules of type {kind.__name__}; one certificate covers one")
        return rules

    @model_validator(mode="after")
    def _checks_end(self) -> Self:
        if self.after_checks is Verdict.VERIFY:
            raise ValueError("after_checks cannot be another check")
        if self.after_checks is Verdict.PROCEED and not self.max_checks:
            raise ValueError(
                "max_checks=0 and after_checks='proceed': what should be checked would be let pass"
            )
        return self

    @property
    def risk_target(self) -> RiskTarget | None:
        """The rule that a certificate is about, if there is one."""
        return next((rule for rule in self.rules if isinstance(rule, RiskTarget)), None)

    @property
    def alarm(self) -> Alarm | None:
        """The rule that watches whole runs, if there is one."""
        return next((rule for rule in self.rules if isinstance(rule, Alarm)), None)

    @property
    def certificate(self) -> Certificate | None:
        """What certifying found, if this policy was certified."""
        return None if self.risk_target is None else self.risk_target.certificate

    @property
    def may_escalate(self) -> bool:
        """Whether any step may have to wait for somebody."""
        verdicts = {self.without_score}.union(*(rule.verdicts for rule in self.rules))
        if Verdict.VERIFY in verdicts:
            verdicts.add(self.after_checks)
        return Verdict.ESCALATE in verdicts

    @cached_property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that change with anything in the policy."""
        return digest(self.model_dump(mode="json"))[:16]

    @cached_property
    def composed(self) -> str:
        """A digest of all that a certificate rests on: rules, tiers, what is gated."""
        body = self.model_dump(mode="json", exclude=set(_IRRELEVANT))
        for rule in body["rules"]:
            rule.pop("certificate", None)
        return digest(body)[:16]

    @property
    def outdated(self) -> bool:
        """Whether the policy was changed after it was certified, so that its promise is void."""
        made = self.certificate
        return made is not None and made.scope.policy != self.composed

    def enforce(self) -> Self:
        """The same policy, acting on its decisions."""
        return self.with_(mode="enforce")

    def shadow(self) -> Self:
        """The same policy, deciding and recording only."""
        return self.with_(mode="shadow")

    def with_(self, **changes: Any) -> Self:
        """The same policy with other fields, checked anew. Raises :class:`ConfigError`."""
        return self.model_copy(update=changes)

    def rulings(self, turn: GatedTurn) -> list[tuple[Subject, Ruling]]:
        """What the rules say about each step of a turn; nothing is counted or frozen."""
        subjects = subjects_of(self, turn)
        return [*zip(subjects, judge(self, turn, subjects), strict=True)]

    def decide(
        self, turn: GatedTurn, ledger: BudgetLedger, *, at: datetime | None = None
    ) -> TurnDecision:
        """Decide on all calls of a turn, or on its answer. ``at`` is now by default.

        Raises what a rule or the ledger raises; a :class:`Gate` never does.
        """
        return decide(self, turn, ledger, at or datetime.now(UTC))

    def save(self, path: str | Path, *, key: bytes | None = None) -> None:
        """Write one JSON file, signed with ``key`` (HMAC-SHA256) if given.

        Raises :class:`ArtefactError` if it cannot be written.
        """
        write_artefact(Path(path), self.model_dump(mode="json"), key, POLICY)

    @classmethod
    def load(cls, path: str | Path, *, key: bytes | None = None) -> Self:
        """Read a policy. With ``key``, the signature is checked too.

        Raises :class:`ArtefactError` for a missing, damaged, tampered or foreign file.
        """
        body = read_artefact(Path(path), key, POLICY)
        try:
            return cls.from_fields(body)
        except ConfigError as error:
            raise ArtefactError(f"{path}: {error}; certify again") from error

    @classmethod
    def from_fields(cls, fields: Any) -> Self:
        """A policy from plain JSON values. Raises :class:`ConfigError` if they are none."""
        try:
            return cls.model_validate(fields)
        except ValidationError as error:
            raise ConfigError(f"policy: {first(error)}") from error
        except TypeError as error:  # a rule without a field that it cannot be without
            raise ConfigError(f"policy: {error}") from error

    def __str__(self) -> str:
        from agentcal.policy._summary import summary  # noqa: PLC0415 - needs Policy itself

        return summary(self)
