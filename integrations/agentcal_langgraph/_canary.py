"""Whether the LangGraph that is installed still does what the gate builds on."""

from __future__ import annotations

from functools import cache
from typing import Any

from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode

from agentcal import ConfigError
from agentcal.policy import Always, Gate, Policy, Verdict
from agentcal_langgraph._keeper import Keeper


@cache
def check_langgraph() -> None:
    """Run a graph whose one call must not run. Raises :class:`ConfigError` if it does."""
    ran: list[str] = []

    @tool
    def act(text: str) -> str:
        """Leave a trace."""
        ran.append(text)
        return text

    proposed = AIMessage("", tool_calls=[{"name": "act", "args": {"text": "x"}, "id": "canary"}])
    builder = StateGraph(MessagesState)
    builder.add_node("tools", ToolNode([act]))
    builder.add_edge(START, "tools")
    try:
        _gated(builder.compile()).invoke({"messages": [proposed]})
    except Exception as error:
        raise _unknown(f"{type(error).__name__}: {error}") from error
    if ran:
        raise _unknown("a call ran that was not to run")


def _gated(graph: Any) -> Any:
    from agentcal_langgraph._rebuild import Rebuilder  # noqa: PLC0415 - it is only needed once

    stops = Policy.of(Always(verdict=Verdict.ABSTAIN, tools=("act",)), mode="enforce")
    return Rebuilder(Keeper(Gate(stops), None, None, "human", "stopped")).rebuilt(graph)


def _unknown(what: str) -> ConfigError:
    return ConfigError(
        f"agentcal cannot gate with this version of LangGraph ({what}); install one that "
        "agentcal's documentation names, and report this"
    )
