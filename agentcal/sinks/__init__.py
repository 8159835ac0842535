"""Where finished runs go. A sink of your own is a class with the two methods of :class:`Sink`."""

from agentcal.sinks._callback import CallbackSink
from agentcal.sinks._jsonl import JsonlSink
from agentcal.sinks._memory import MemorySink
from agentcal.sinks._sink import Sink

__all__ = ["CallbackSink", "JsonlSink", "MemorySink", "Sink"]
