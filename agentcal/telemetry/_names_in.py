"""What other tracers call things: names that agentcal reads and never writes.

Names that it also writes are in ``_names.py``.
"""

from __future__ import annotations

from typing import Final

# --- OpenTelemetry GenAI conventions: current --------------------------------------------------

MODEL_OPERATIONS: Final = frozenset({"chat", "text_completion", "generate_content"})
AGENT_OPERATIONS: Final = frozenset({"invoke_agent", "invoke_workflow"})
RESPONSE_MODEL: Final = "gen_ai.response.model"
WORKFLOW_NAME: Final = "gen_ai.workflow.name"
DETAILS_EVENT: Final = "gen_ai.client.inference.operation.details"
UNKNOWN: Final = "unknown"
"""What OpenLLMetry writes for a model whose name it does not find."""

# --- OpenTelemetry GenAI conventions: as they were ---------------------------------------------

PROMPT: Final = "gen_ai.prompt"
COMPLETION: Final = "gen_ai.completion"
PROMPT_EVENT: Final = "gen_ai.content.prompt"
COMPLETION_EVENT: Final = "gen_ai.content.completion"
CHOICE_EVENT: Final = "gen_ai.choice"
MESSAGE_EVENTS: Final = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
EVENT_CONTENT: Final = "gen_ai.event.content"
EVENT_NAME: Final = "event.name"
REQUEST_TYPE: Final = "llm.request.type"
FUNCTIONS: Final = "llm.request.functions"
MODEL_REQUESTS: Final = frozenset({"chat", "completion"})
INPUT_TOKENS: Final = ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens")
OUTPUT_TOKENS: Final = ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens")
REASONING_TOKENS: Final = (
    "gen_ai.usage.reasoning.output_tokens",
    "gen_ai.usage.reasoning_tokens",
)

# Pydantic AI, whose spans are in the conventions but for these.
PYDANTIC_ARGUMENTS: Final = "tool_arguments"
PYDANTIC_RESULT: Final = "tool_response"

# --- OpenTelemetry, general --------------------------------------------------------------------

SERVICE_NAME: Final = "service.name"
EXCEPTION: Final = "exception"
EXCEPTION_TYPE: Final = "exception.type"
EXCEPTION_MESSAGE: Final = "exception.message"
SESSION_ID: Final = "session.id"

# --- OpenInference -----------------------------------------------------------------------------

OI_KIND: Final = "openinference.span.kind"
OI_KINDS: Final = {"LLM": "model", "TOOL": "tool", "AGENT": "agent", "CHAIN": "chain"}
OI_INPUT: Final = "input.value"
OI_OUTPUT: Final = "output.value"
OI_INPUT_MESSAGES: Final = "llm.input_messages"
OI_OUTPUT_MESSAGES: Final = "llm.output_messages"
OI_TOOLS: Final = "llm.tools"
OI_PARAMETERS: Final = "llm.invocation_parameters"
OI_MODEL: Final = "llm.model_name"
OI_PROMPT_TOKENS: Final = "llm.token_count.prompt"
OI_COMPLETION_TOKENS: Final = "llm.token_count.completion"
OI_REASONING_TOKENS: Final = "llm.token_count.completion_details.reasoning"
OI_TOOL_NAME: Final = "tool.name"
OI_TOOL_IDS: Final = ("tool.id", "tool_call.id")
OI_TOOL_PARAMETERS: Final = "tool.parameters"
OI_AGENT: Final = "agent.name"
OI_METADATA: Final = "metadata"
OI_REDACTED: Final = "__REDACTED__"

# --- OpenLLMetry -------------------------------------------------------------------------------

TL_PREFIX: Final = "traceloop."
TL_KIND: Final = "traceloop.span.kind"
TL_KINDS: Final = {"workflow": "agent", "agent": "agent", "task": "chain", "tool": "tool"}
TL_NAME: Final = "traceloop.entity.name"
TL_INPUT: Final = "traceloop.entity.input"
TL_OUTPUT: Final = "traceloop.entity.output"
TL_PROPERTIES: Final = "traceloop.association.properties."
TL_TASK: Final = "execute_task"

# --- What LangChain says of itself, in the metadata that tracers carry along --------------------

LC_AGENT: Final = "lc_agent_name"
LC_MODEL: Final = "ls_model_name"
LC_UNNAMED: Final = "LangGraph"
"""What a graph is called that was given no name."""
LC_NODE: Final = "langgraph_node"
LC_PLACE: Final = "langgraph_checkpoint_ns"
LC_CONVERSATIONS: Final = ("thread_id", "session_id", "conversation_id")
INTERRUPTS: Final = frozenset({"GraphInterrupt", "NodeInterrupt"})
CANCELLATIONS: Final = frozenset({"CancelledError", "KeyboardInterrupt"})
STEP_LIMITS: Final = frozenset({"GraphRecursionError", "MaxTurnsExceeded", "UsageLimitExceeded"})
