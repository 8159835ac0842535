"""What spans say of each other: a model span within another, a chain that knows more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from agentcal._fields import as_text
from agentcal.telemetry._span import Chat, SpanFacts
from agentcal.telemetry._tree import Tree

_RICHER = ("logprobs", "reasoning_content")


def one_span_a_turn(spans: Iterable[SpanFacts], tree: Tree) -> list[SpanFacts]:
    """A framework's model span and the one of the provider's client in it are one turn.

    The outer one stays; what only the inner one says is added to it. The same goes for tools.
    """
    inner: dict[str, list[SpanFacts]] = {}
    kept: list[SpanFacts] = []
    for span in spans:
        outer = _same_above(span, tree)
        if outer is None:
            kept.append(span)
        else:
            inner.setdefault(outer.span_id, []).append(span)
    return [_filled(span, inner.get(span.span_id, [])) for span in kept]


def _same_above(span: SpanFacts, tree: Tree) -> SpanFacts | None:
    """The outermost span of the same doing: no other kind of doing lies between them."""
    found = None
    if span.kind not in ("model", "tool"):
        return None
    for above in tree.above(span):
        if above.kind == span.kind and (span.kind == "model" or above.name == span.name):
            found = above
        elif above.kind in ("model", "tool", "agent"):
            break
    return found


def _filled(span: SpanFacts, inner: list[SpanFacts]) -> SpanFacts:
    for other in sorted(inner, key=lambda one: (one.start_ns, one.span_id)):
        span = replace(
            span,
            messages=other.messages if span.messages is None else span.messages,
            reply=_richer(span.reply, other.reply),
            system=span.system or other.system,
            tools=span.tools or other.tools,
            usage=span.usage or other.usage,
            model=span.model or other.model,
            logprobs=span.logprobs or other.logprobs,
            call_id=span.call_id or other.call_id,
            arguments=other.arguments if span.arguments is None else span.arguments,
            result=other.result if span.result is None else span.result,
            conversation=span.conversation or other.conversation,
        )
    return span


def with_what_chains_know(spans: list[SpanFacts], tree: Tree) -> list[SpanFacts]:
    """Replies of models, with what the chain around them put out: log-probs, say, or reasoning.

    A chain tells of the one model turn in it; where there are two it is not known of which.
    """
    around: dict[str, list[SpanFacts]] = {}
    for span in spans:
        chain = next((s for s in tree.above(span) if s.kind in ("chain", "agent")), None)
        if span.kind == "model" and chain is not None and chain.kind == "chain":
            around.setdefault(chain.span_id, []).append(span)
    told: dict[str, Chat] = {}
    for chain in spans:
        own = [m for m in chain.passed_on if m["role"] == "assistant"]
        asked = around.get(chain.span_id, [])
        if len(own) == 1 and len(asked) == 1:
            told[asked[0].span_id] = own[0]
    return [_told(span, told.get(span.span_id)) for span in spans]


def _told(span: SpanFacts, message: Chat | None) -> SpanFacts:
    return span if message is None else replace(span, reply=_richer(span.reply, message))


def _richer(reply: Chat | None, other: Chat | None) -> Chat | None:
    """The reply with what only the other telling of it has. Of another reply nothing is taken."""
    if reply is None or other is None:
        return reply or other
    if as_text(reply.get("content")) != as_text(other.get("content")):
        return reply
    found = {**reply, **{k: other[k] for k in _RICHER if not reply.get(k) and other.get(k)}}
    if not reply.get("tool_calls") and other.get("tool_calls"):
        found["tool_calls"] = other["tool_calls"]
    if not reply.get("usage") and other.get("usage"):
        found["usage"] = other["usage"]
    return found


def from_one_teller(spans: list[SpanFacts]) -> tuple[list[SpanFacts], int]:
    """Where two tracers tell of the same turns, those of the one that tells less are left out.

    Gives the spans that count, and how many model turns were told twice.
    """
    twice: dict[str, set[str]] = {}
    models = sorted((s for s in spans if s.kind == "model"), key=lambda s: (s.start_ns, s.span_id))
    for at, one in enumerate(models):
        for other in models[at + 1 :]:
            if other.start_ns > one.end_ns:
                break
            if other.dialect != one.dialect and _alike(one, other):
                twice.setdefault(one.dialect, set()).add(one.span_id)
                twice.setdefault(other.dialect, set()).add(other.span_id)
    if not twice:
        return spans, 0
    main = max(twice, key=lambda name: (sum(s.dialect == name for s in models), name))
    silent = set(twice) - {main}
    kept = [s for s in spans if s.dialect not in silent or s.kind in ("agent", "chain", "other")]
    return kept, max(len(ids) for ids in twice.values())


def _alike(one: SpanFacts, other: SpanFacts) -> bool:
    """One model call as seen by two: one lies within the other, and they do not differ."""
    outer, inner = sorted((one, other), key=lambda s: s.start_ns - s.end_ns)
    within = outer.start_ns <= inner.start_ns and inner.end_ns <= outer.end_ns
    if one.reply is None or other.reply is None:
        return within
    return within and one.reply.get("content") == other.reply.get("content")
