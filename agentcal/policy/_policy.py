"""Rules put together: what happens to each step of an agent."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from agentcal._artefact import POLICY, digest, read_artefact, write_artefact
from agentcal.errors import ArtefactError, ConfigError
from agentcal.policy._alarm import Alarm
from agentcal.policy._always import Always
from agentcal.policy._budget import ReviewBudget
from agentcal.policy._certificate import Certificate
from agentcal.policy._costs import CostTarget
from agentcal.policy._decide import decide
from agentcal.policy._decision import Mode, TurnDecision
from agentcal.policy._ledger import BudgetLedger
from agentcal.policy._names import TierSet
from agentcal.policy._risk import RiskTarget
from agentcal.policy._tiers import Tier, Tiers
from agentcal.policy._turn import GatedTurn
from agentcal.policy._verdict import Verdict

AnyRule = Annotated[RiskTarget | CostTarget | Alarm | Always, Field(discriminator="type")]
Part = RiskTarget | CostTarget | Alarm | Always | ReviewBudget

_GATED: tuple[Tier, ...] = ("answer", "destructive", "write")


class Policy(BaseModel):
    """What to do about each step: the strictest of its rules, within its budget.

    ``gated``: the tiers that are ruled on; steps of others proceed, unless an :class:`Alarm`
    sounds. ``mode``: "shadow" decides and records, and stops nothing. ``without_score``: the
    verdict on a gated step without a usable confidence. ``max_checks``: how often one run may be
    sent back to check; then ``after_checks`` instead. Immutable, plain JSON.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rules: tuple[AnyRule, ...]
    budget: ReviewBudget | None = None
    tiers: Tiers = Field(default_factory=Tiers)
    gated: TierSet = _GATED
    mode: Mode = "shadow"
    without_score: Verdict = Verdict.ESCALATE
    max_checks: int = Field(default=1, ge=0)
    after_checks: Verdict = Verdict.ESCALATE

    @classmethod
    def of(cls, *parts: Part, **rest: Any) -> Self:
        """Put rules, and at most one budget, together; ``rest`` are fields of the policy.

        Raises :class:`ConfigError` for parts that do not fit together.
        """
        budgets = [part for part in parts if isinstance(part, ReviewBudget)]
        rules = tuple(part for part in parts if not isinstance(part, ReviewBudget))
        if len(budgets) > 1:
            raise ConfigError("a policy has one ReviewBudget at most: which of these is the cap?")
        try:
            return cls(rules=rules, budget=budgets[0] if budgets else None, **rest)
        except ValidationError as error:
            raise ConfigError(f"policy: {_first(error)}") from error

    @field_validator("rules")
    @classmethod
    def _one_of_each(cls, rules: tuple[AnyRule, ...]) -> tuple[AnyRule, ...]:
        for kind in (RiskTarget, CostTarget, Alarm):
            if sum(isinstance(rule, kind) for rule in rules) > 1:
                raise ValueError(f"two rules of type {kind.__name__}; one certificate covers one")
        return rules

    @field_validator("after_checks")
    @classmethod
    def _checks_end(cls, value: Verdict) -> Verdict:
        if value is Verdict.VERIFY:
            raise ValueError("after_checks cannot be another check")
        return value

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
        rulings = [self.without_score, self.after_checks if self.max_checks else Verdict.ABSTAIN]
        return Verdict.ESCALATE in rulings or any(rule.may_escalate for rule in self.rules)

    @cached_property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that change with anything in the policy."""
        return digest(self.model_dump(mode="json"))[:16]

    @cached_property
    def composed(self) -> str:
        """A digest of all that a certificate rests on: the policy without certificate and mode."""
        body = self.model_dump(mode="json", exclude={"mode"})
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
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        try:
            return type(self).model_validate({**fields, **changes})
        except ValidationError as error:
            raise ConfigError(f"policy: {_first(error)}") from error

    def decide(
        self, turn: GatedTurn, ledger: BudgetLedger, *, at: datetime | None = None
    ) -> TurnDecision:
        """Decide on all calls of a turn, or on its answer. ``at`` is now by default."""
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
        try:
            return cls.model_validate(read_artefact(Path(path), key, POLICY))
        except ValidationError as error:
            raise ArtefactError(f"{path}: {_first(error)}; certify again") from error


def _first(error: ValidationError) -> str:
    found = error.errors()[0]
    where = ".".join(str(part) for part in found["loc"])
    return f"{where}: {found['msg']}"
