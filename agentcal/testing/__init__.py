"""Help for testing agents and what watches them: scripted models, graphs, captured telemetry.

Nothing heavy is imported before it is used. :class:`OtlpReceiver` needs ``agentcal[otlp]``, all
else what agentcal itself depends on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentcal._lazy import lazily

if TYPE_CHECKING:
    from agentcal.testing._approval import approval_graph
    from agentcal.testing._fan_out import fan_out_graph
    from agentcal.testing._handoff import handoff_graph
    from agentcal.testing._ledger import Ledger, LedgerEntry, ledger_tools
    from agentcal.testing._model import ScriptedChatModel
    from agentcal.testing._nested import nested_graph
    from agentcal.testing._otlp import OtlpReceiver
    from agentcal.testing._react import react_graph, scripted_run
    from agentcal.testing._script import broken_call, call, calls, fails, says
    from agentcal.testing._telemetry import CapturedTelemetry, capture_telemetry

_HOME = {
    "CapturedTelemetry": "_telemetry",
    "Ledger": "_ledger",
    "LedgerEntry": "_ledger",
    "OtlpReceiver": "_otlp",
    "ScriptedChatModel": "_model",
    "approval_graph": "_approval",
    "broken_call": "_script",
    "call": "_script",
    "calls": "_script",
    "capture_telemetry": "_telemetry",
    "fails": "_script",
    "fan_out_graph": "_fan_out",
    "handoff_graph": "_handoff",
    "ledger_tools": "_ledger",
    "nested_graph": "_nested",
    "react_graph": "_react",
    "says": "_script",
    "scripted_run": "_react",
}

__all__ = [
    "CapturedTelemetry",
    "Ledger",
    "LedgerEntry",
    "OtlpReceiver",
    "ScriptedChatModel",
    "approval_graph",
    "broken_call",
    "call",
    "calls",
    "capture_telemetry",
    "fails",
    "fan_out_graph",
    "handoff_graph",
    "ledger_tools",
    "nested_graph",
    "react_graph",
    "says",
    "scripted_run",
]


_load = lazily(__name__, _HOME)


def __getattr__(name: str) -> Any:
    try:
        return _load(name)
    except ModuleNotFoundError as error:
        if name == "OtlpReceiver":
            error.msg = f"{error.msg}: OtlpReceiver needs it; pip install 'agentcal[otlp]'"
        raise


def __dir__() -> list[str]:
    return sorted(__all__)
