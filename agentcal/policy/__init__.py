"""From a confidence to a decision: rules, budgets, certificates. Every threshold lives here.

::

    import agentcal as ac
    from agentcal.policy import Alarm, Policy, ReviewBudget, RiskTarget

    policy = Policy.of(RiskTarget(0.05), Alarm(0.1), ReviewBudget(0.05))
    policy = ac.certify(policy, calibrator, held_out_runs)
    policy.save("policy.json")

A policy says what should be done about each step of an agent before it happens: proceed, verify,
escalate or abstain. In its default mode, "shadow", it decides and records, and stops nothing.
"""

from agentcal.policy._alarm import Alarm
from agentcal.policy._always import Always
from agentcal.policy._budget import ReviewBudget
from agentcal.policy._certificate import Certificate, Scope
from agentcal.policy._costs import Costs, CostTarget
from agentcal.policy._decision import Decision, Mode, TurnDecision, decision_key
from agentcal.policy._gate import Gate
from agentcal.policy._ledger import BudgetLedger, Request
from agentcal.policy._memory_ledger import MemoryLedger
from agentcal.policy._policy import AnyPart, AnyRule, Policy
from agentcal.policy._risk import RiskTarget
from agentcal.policy._rule import Rule
from agentcal.policy._ruling import Ruling
from agentcal.policy._sqlite_ledger import SqliteLedger
from agentcal.policy._tiers import Tier, Tiers
from agentcal.policy._turn import GatedTurn, ProposedCall, Subject
from agentcal.policy._verdict import Verdict, strictest
from agentcal.policy._walk import meets_gate, turns_of, walk

__all__ = [
    "Alarm",
    "Always",
    "AnyPart",
    "AnyRule",
    "BudgetLedger",
    "Certificate",
    "CostTarget",
    "Costs",
    "Decision",
    "Gate",
    "GatedTurn",
    "MemoryLedger",
    "Mode",
    "Policy",
    "ProposedCall",
    "Request",
    "ReviewBudget",
    "RiskTarget",
    "Rule",
    "Ruling",
    "Scope",
    "SqliteLedger",
    "Subject",
    "Tier",
    "Tiers",
    "TurnDecision",
    "Verdict",
    "decision_key",
    "meets_gate",
    "strictest",
    "turns_of",
    "walk",
]
