"""A support agent that somebody else traces. Nothing in this file knows of agentcal.

It answers questions about orders and exports its spans over OTLP to wherever
``OTEL_EXPORTER_OTLP_ENDPOINT`` points, as any instrumented service does. What the customers thought
of the answers ends up in a CSV file: the world's word on each conversation.
"""

from __future__ import annotations

import argparse
import csv
import importlib
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import ToolException, tool
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

STATES = ("packed", "shipped", "delivered", "returned")


def dice(*seed: object) -> random.Random:
    """The same throw for the same seed, run after run."""
    return random.Random(repr(seed))  # noqa: S311 - a die


def state_of(order: int) -> str:
    """What the order system says."""
    return dice(order).choice(STATES)


@tool
def find_order(order_id: int) -> str:
    """Look up an order."""
    if order_id % 5 == 0:
        raise ToolException("the order system did not answer")
    return f"order {order_id} is {state_of(order_id)}"


find_order.handle_tool_error = True


@tool
def search_help(text: str) -> str:
    """Search the help pages."""
    return f"No page about {text!r}; most orders are delivered within three days."


class StandIn(BaseChatModel):
    """Plays the part of a model, offline. Put your own chat model in its place.

    Mostly it looks the order up and says what it found. Some days it asks the help pages, and makes
    up the rest; when a tool fails it tries once more, or guesses.
    """

    model: str = "stand-in-1"

    @property
    def _llm_type(self) -> str:
        return "stand-in"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model": self.model}

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Runnable[Any, AIMessage]:
        return self.bind(tools=[one.name for one in tools], **kwargs)

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self._turn(messages))])

    def _turn(self, messages: list[BaseMessage]) -> AIMessage:
        asked = next(message for message in messages if message.type == "human")
        order = int("".join(filter(str.isdigit, asked.text)))
        results = [message for message in messages if isinstance(message, ToolMessage)]
        if not results:
            careful = dice("careful", order).random() < 0.65
            name, given = ("find_order", {"order_id": order}) if careful else _searched(order)
            return _called(name, given, "a")
        found = str(results[-1].content)
        if results[-1].status == "error" and len(results) == 1 and order % 2:
            return _called("find_order", {"order_id": order}, "b")
        known = next((state for state in STATES if f"is {state}" in found), None)
        if known is not None:
            return _said(f"Your order {order} is {known}.")
        guess = dice("guess", order).choice(STATES)
        return _said(f"I think that your order {order} is probably {guess}.")


def _searched(order: int) -> tuple[str, dict[str, Any]]:
    return "search_help", {"text": f"where is order {order}"}


def _called(name: str, given: dict[str, Any], call_id: str) -> AIMessage:
    call = {"name": name, "args": given, "id": call_id, "type": "tool_call"}
    return AIMessage("", tool_calls=[call], usage_metadata=_used(len(name)))


def _said(text: str) -> AIMessage:
    return AIMessage(text, usage_metadata=_used(len(text)))


def _used(size: int) -> Any:
    return {"input_tokens": 200 + size, "output_tokens": size, "total_tokens": 200 + 2 * size}


INSTRUMENTORS = {
    "openinference": "openinference.instrumentation.langchain:LangChainInstrumentor",
    "openllmetry": "opentelemetry.instrumentation.langchain:LangchainInstrumentor",
    "genai": "opentelemetry.instrumentation.genai.langchain:LangChainInstrumentor",
}
"""Those that people use; docs/telemetry-in.md says what each of them carries."""


def instrument(tracer: str, provider: TracerProvider) -> None:
    """Trace everything that LangChain does in this process."""
    module, _, name = INSTRUMENTORS[tracer].partition(":")
    getattr(importlib.import_module(module), name)().instrument(tracer_provider=provider)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--tracer", choices=["openinference", "openllmetry", "genai"], required=True
    )
    parser.add_argument("--orders", type=int, nargs=2, default=(1000, 1060), help="from, to")
    parser.add_argument("--feedback", type=Path, required=True, help="a CSV file to write")
    given = parser.parse_args()
    provider = TracerProvider(resource=Resource({"service.name": "support"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    instrument(given.tracer, provider)
    agent = create_agent(
        StandIn(), [find_order, search_help], system_prompt="You help customers.", name="support"
    )
    with given.feedback.open("w", newline="") as file:
        feedback = csv.writer(file)
        feedback.writerow(["conversation", "helpful"])
        for order in range(*given.orders):
            thread = f"customer-{order}"
            feedback.writerow([thread, int(_handled(agent, order, thread))])
    provider.shutdown()


def _handled(agent: Any, order: int, thread: str) -> bool:
    """One request; whether the customer was told the truth."""
    asked = {"messages": [("user", f"Where is my order {order}?")]}
    answer = agent.invoke(asked, {"configurable": {"thread_id": thread}})["messages"][-1].text
    return bool(answer.endswith(f"{state_of(order)}."))


if __name__ == "__main__":
    main()
