"""Is somebody else tracing this run already, and which of their spans is the current one?"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import cast

from opentelemetry import trace
from opentelemetry.trace import Span

from agentcal.telemetry import _names as n


def foreign_span() -> Span | None:
    """The innermost recording span of another GenAI instrumentor in this context, if any.

    Known dialects: the GenAI conventions, OpenInference, OpenLLMetry, told apart from the user's
    own spans by instrumentation scope or by attributes. agentcal's spans are never made current.
    """
    span = _openinference()
    if span is None:
        span = trace.get_current_span()
        if not _speaks_genai(span):
            return None
    return span if span.is_recording() else None


def _openinference() -> Span | None:
    """OpenInference does not attach its spans to the context; its package knows them."""
    module = sys.modules.get(n.OPENINFERENCE_LANGCHAIN)
    instrumentor = getattr(module, "LangChainInstrumentor", None)
    # Asked while it is not instrumenting, its get_current_span() prints a complaint.
    if (
        module is None
        or instrumentor is None
        or not instrumentor().is_instrumented_by_opentelemetry
    ):
        return None
    return cast(Callable[[], Span | None], module.get_current_span)()


def _speaks_genai(span: Span) -> bool:
    # Neither property is part of the API's Span: a span that is not recording has none of them.
    scope = getattr(getattr(span, "instrumentation_scope", None), "name", "")
    if scope.startswith(n.FOREIGN_SCOPES):
        return True
    attributes = getattr(span, "attributes", None) or {}
    return any(key.startswith(n.FOREIGN_ATTRIBUTES) for key in attributes)
