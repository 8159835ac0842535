"""Watching all graphs of a process without touching any of them."""

from __future__ import annotations

import threading
from contextvars import ContextVar
from typing import Any

from langchain_core.tracers.context import register_configure_hook

from agentcal.recorder import Recorder
from agentcal_langgraph._watcher import GraphWatcher


class _Everywhere(GraphWatcher):
    """The one handler for all graphs. Without a recorder it sees its open runs to their end."""

    @property
    def ignore_chain(self) -> bool:
        return self._idle

    @property
    def ignore_chat_model(self) -> bool:
        return self._idle

    @property
    def ignore_llm(self) -> bool:
        return self._idle

    @property
    def ignore_agent(self) -> bool:
        return self._idle

    @property
    def _idle(self) -> bool:
        return self.recorder is None and not self._open.watches


_LOCK = threading.Lock()
_everywhere: _Everywhere | None = None


def instrument(recorder: Recorder) -> None:
    """Record every graph that is run in this process from now on, in any thread or event loop.

    It uses LangChain's own hook for that; nothing is patched. Calling it again is harmless; with
    another recorder, that one gets the runs which start later. Where a
    :class:`CalibrationCallbackHandler` is given to a graph, that one alone records it.

    LangGraph tells such a handler nothing of breakpoints (``interrupt_before``,
    ``interrupt_after``): a run that stops after its tools at one counts as answered. Give a handler
    to graphs that use ``interrupt_after``.
    """
    global _everywhere  # noqa: PLW0603 - one for the process, as is the hook
    with _LOCK:
        if _everywhere is None:
            _everywhere = _Everywhere()
            # The default of a context variable holds in every thread; a value that is set does not.
            hook = ContextVar[Any | None]("agentcal_langgraph", default=_everywhere)
            register_configure_hook(hook, inheritable=True, handle_class=GraphWatcher)
        _everywhere.recorder = recorder


def uninstrument() -> None:
    """Record no more graphs; those that are running are recorded to their end."""
    with _LOCK:
        if _everywhere is not None:
            _everywhere.recorder = None
