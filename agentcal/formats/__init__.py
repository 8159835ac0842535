"""Reading recorded runs in the formats that agents leave them in, and writing two of them.

:func:`load` reads files, folders and globs; the format is recognised by content. A format of your
own is a class with the two methods of :class:`Format`, given as ``load(..., format=...)`` or
shipped under the entry point group ``agentcal.formats``.
"""

from __future__ import annotations

from agentcal.formats._atif_write import to_atif
from agentcal.formats._format import Binary, Container, Context, Format, Gatherer, Gathering, Record
from agentcal.formats._langchain_message import langchain_step
from agentcal.formats._langchain_people import langchain_decisions
from agentcal.formats._load import LoadedRuns, load
from agentcal.formats._registry import FORMATS, known_formats
from agentcal.formats._report import Issue, LoadReport
from agentcal.formats._write import write_jsonl
from agentcal.formats._write_atif import write_atif

__all__ = [
    "FORMATS",
    "Binary",
    "Container",
    "Context",
    "Format",
    "Gatherer",
    "Gathering",
    "Issue",
    "LoadReport",
    "LoadedRuns",
    "Record",
    "known_formats",
    "langchain_decisions",
    "langchain_step",
    "load",
    "to_atif",
    "write_atif",
    "write_jsonl",
]
