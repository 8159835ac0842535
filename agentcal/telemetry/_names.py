"""Every name that agentcal writes to or reads from OpenTelemetry, by dialect.

The constants of ``opentelemetry-semantic-conventions`` for ``gen_ai.*`` are deprecated ("moved to
semantic-conventions-genai") and have no new home on PyPI, so the strings are kept here.
"""

from __future__ import annotations

from typing import Final

# --- OpenTelemetry GenAI conventions -----------------------------------------------------------

OPERATION_NAME: Final = "gen_ai.operation.name"
INVOKE_AGENT: Final = "invoke_agent"
CHAT: Final = "chat"
EXECUTE_TOOL: Final = "execute_tool"

CONVERSATION_ID: Final = "gen_ai.conversation.id"
AGENT_NAME: Final = "gen_ai.agent.name"
REQUEST_MODEL: Final = "gen_ai.request.model"
FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
REASONING_TOKENS: Final = "gen_ai.usage.reasoning.output_tokens"
TOOL_NAME: Final = "gen_ai.tool.name"
TOOL_TYPE: Final = "gen_ai.tool.type"
TOOL_CALL_ID: Final = "gen_ai.tool.call.id"

# Content: exported only where the user opted in.
INPUT_MESSAGES: Final = "gen_ai.input.messages"
OUTPUT_MESSAGES: Final = "gen_ai.output.messages"
SYSTEM_INSTRUCTIONS: Final = "gen_ai.system_instructions"
TOOL_DEFINITIONS: Final = "gen_ai.tool.definitions"
TOOL_ARGUMENTS: Final = "gen_ai.tool.call.arguments"
TOOL_RESULT: Final = "gen_ai.tool.call.result"
CAPTURE_CONTENT: Final = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"

EVALUATION_EVENT: Final = "gen_ai.evaluation.result"
EVALUATION_NAME: Final = "gen_ai.evaluation.name"
EVALUATION_VALUE: Final = "gen_ai.evaluation.score.value"
EVALUATION_LABEL: Final = "gen_ai.evaluation.score.label"
EVALUATION_EXPLANATION: Final = "gen_ai.evaluation.explanation"

OPERATION_DURATION: Final = "gen_ai.client.operation.duration"
USED_TOKENS: Final = "gen_ai.client.token.usage"
TYPE_OF_TOKENS: Final = "gen_ai.token.type"

# --- OpenTelemetry, general --------------------------------------------------------------------

ERROR_TYPE: Final = "error.type"

# --- agentcal's own ----------------------------------------------------------------------------

SUCCESS_PROBABILITY: Final = "agentcal.success_probability"
GATE_DECISION: Final = "agentcal.decision"
REVIEW: Final = "agentcal.review"
"""What the evaluations are called; no attribute has one of these names."""

RUN_ID: Final = "agentcal.run.id"
GROUP: Final = "agentcal.run.group"
FAMILY: Final = "agentcal.run.family"
END_REASON: Final = "agentcal.run.end_reason"
INTERRUPTED: Final = "agentcal.interrupted"
RESUMED: Final = "agentcal.resumed"
TURNS: Final = "agentcal.run.turns"
GAPS: Final = "agentcal.run.gaps"
KNOWN_AFTER: Final = "agentcal.run.known_after"
CONFIDENCE_LAST: Final = "agentcal.confidence.last"
CONFIDENCE_LOWEST: Final = "agentcal.confidence.lowest"

TURN: Final = "agentcal.turn"
STATED_CONFIDENCE: Final = "agentcal.stated_confidence"
LOGPROBS: Final = "agentcal.logprobs"
POSITION: Final = "agentcal.call.position"
CALL_STATUS: Final = "agentcal.call.status"
INTERVENTION: Final = "agentcal.intervention"
INTERVENTION_KIND: Final = "agentcal.intervention.kind"
INTERVENTION_BY: Final = "agentcal.intervention.by"
INTERVENTION_WAITED: Final = "agentcal.intervention.waited"
INTERVENTION_DETAIL: Final = "agentcal.intervention.detail"

DECISION_KIND: Final = "agentcal.decision.kind"
DECISION_LABEL: Final = "agentcal.decision.label"
INTERVAL_LOW: Final = "agentcal.interval.low"
INTERVAL_HIGH: Final = "agentcal.interval.high"
THINNESS: Final = "agentcal.thinness"
SUPPORT: Final = "agentcal.support"
SUPPORTED: Final = "agentcal.supported"
FINGERPRINT: Final = "agentcal.calibrator.fingerprint"

DECISION_KEY: Final = "agentcal.decision.key"
DECISION_VERDICT: Final = "agentcal.decision.verdict"
DECISION_BY: Final = "agentcal.decision.by"
DECISION_MODE: Final = "agentcal.decision.mode"
DECISION_TIER: Final = "agentcal.decision.tier"
DECISION_THRESHOLD: Final = "agentcal.decision.threshold"
DECISION_CERTIFICATE: Final = "agentcal.decision.certificate"
DECISION_POLICY: Final = "agentcal.decision.policy"
REVIEW_ANSWER: Final = "agentcal.review.answer"
REVIEW_BY: Final = "agentcal.review.by"
REVIEW_WAITED: Final = "agentcal.review.waited"

DECISIONS: Final = "agentcal.decisions"
CONFIDENCE: Final = "agentcal.confidence"
SCORING_DURATION: Final = "agentcal.scoring.duration"
VERDICTS: Final = "agentcal.verdicts"
REVIEWS: Final = "agentcal.reviews"
REVIEW_DURATION: Final = "agentcal.review.duration"

SCOPE: Final = "agentcal.telemetry"
"""Instrumentation scope of the tracer, the meter and the logger."""

# --- Who else may be tracing the run -----------------------------------------------------------

FOREIGN_SCOPES: Final = (
    "openinference.",
    "opentelemetry.instrumentation.genai.",
    "opentelemetry.instrumentation.langchain",
    "opentelemetry.util.genai",
    "traceloop.",
)
FOREIGN_ATTRIBUTES: Final = ("gen_ai.", "openinference.", "traceloop.")
OPENINFERENCE_LANGCHAIN: Final = "openinference.instrumentation.langchain"
