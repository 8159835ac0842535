"""What evaluation events say: of a score, of a decision that rests on it, of a review."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from agentcal.recorder import Review, RunInfo
from agentcal.telemetry import _names as n
from agentcal.telemetry._events import Attributes
from agentcal.telemetry._moments import Turn

if TYPE_CHECKING:
    from agentcal.calibration import Confidence
    from agentcal.policy import Decision


def of_turn(turn: Turn) -> Attributes:
    """How likely the run is to succeed, or that nobody could say."""
    attributes = _about(turn.run, turn.number, n.SUCCESS_PROBABILITY, turn.label)
    attributes[n.DECISION_KIND] = turn.kind
    if turn.confidence is None:
        attributes[n.ERROR_TYPE] = turn.label
        attributes[n.EVALUATION_EXPLANATION] = "no score for this decision point"
    else:
        attributes |= _scored(turn.confidence)
    return attributes


def of_decision(run: RunInfo, decision: Decision) -> Attributes:
    """What a policy decided about one call, or about the answer, and what that rests on."""
    attributes = _about(run, decision.turn, n.GATE_DECISION, decision.verdict.value)
    attributes |= _subject(decision)
    attributes |= {
        n.EVALUATION_EXPLANATION: decision.reason,
        n.DECISION_BY: decision.by,
        n.DECISION_MODE: decision.mode,
        n.DECISION_POLICY: decision.policy,
    }
    score = decision.confidence
    known = {
        n.EVALUATION_VALUE: score.value if score and math.isfinite(score.value) else None,
        n.DECISION_THRESHOLD: decision.threshold,
        n.DECISION_CERTIFICATE: decision.certificate,
        n.FINGERPRINT: decision.calibrator,
    }
    return attributes | {name: value for name, value in known.items() if value is not None}


def of_review(run: RunInfo, review: Review) -> Attributes:
    """What somebody answered; not in which words, and not how the run turned out."""
    attributes = _about(run, review.decision.turn, n.REVIEW, review.answer)
    attributes |= _subject(review.decision)
    attributes[n.REVIEW_BY] = review.by
    if review.waited_s is not None:
        attributes[n.REVIEW_WAITED] = review.waited_s
    return attributes


def _about(run: RunInfo, turn: int, name: str, label: str) -> Attributes:
    attributes: Attributes = {
        n.EVALUATION_NAME: name,
        n.EVALUATION_LABEL: label,
        n.RUN_ID: run.run_id,
        n.TURN: turn,
    }
    if run.conversation is not None:
        attributes[n.CONVERSATION_ID] = run.conversation
    return attributes


def _subject(decision: Decision) -> Attributes:
    attributes: Attributes = {n.DECISION_KEY: decision.key, n.DECISION_TIER: decision.tier}
    if decision.tool is not None:
        attributes |= {n.TOOL_NAME: decision.tool, n.POSITION: decision.index}
    return attributes


def _scored(c: Confidence) -> Attributes:
    seen = "runs like this one" if c.supported else "runs like this one, of which few were seen,"
    return {
        n.EVALUATION_VALUE: c.value,
        n.EVALUATION_EXPLANATION: f"{c.value:.0%} of {seen} succeed "
        f"(90% interval {c.low:.0%} to {c.high:.0%})",
        n.INTERVAL_LOW: c.low,
        n.INTERVAL_HIGH: c.high,
        n.THINNESS: c.thinness,
        n.SUPPORT: c.support,
        n.SUPPORTED: c.supported,
        n.FINGERPRINT: c.fingerprint,
    }
