"""The formats that agentcal knows, the particular ones before the general one."""

from __future__ import annotations

from agentcal.errors import ConfigError
from agentcal.formats._agentcal import AgentcalJSONL
from agentcal.formats._agentdojo import AgentDojo
from agentcal.formats._atif import Atif
from agentcal.formats._format import Format
from agentcal.formats._langchain import LangChain
from agentcal.formats._local_llm import LocalLLM
from agentcal.formats._openai import OpenAIChat
from agentcal.formats._otlp import Otlp
from agentcal.formats._plugins import installed
from agentcal.formats._responses import Responses
from agentcal.formats._tau2 import Tau2Bench
from agentcal.formats._taubench import TauBench
from agentcal.formats._whowhen import WhoAndWhen

FORMATS: tuple[Format, ...] = (
    AgentcalJSONL(),
    Atif(),
    AgentDojo(),
    TauBench(),
    Tau2Bench(),
    LocalLLM(),
    WhoAndWhen(),
    Otlp(),
    LangChain(),
    Responses(),
    OpenAIChat(),
)
"""Asked in this order: the first whose ``sniff`` says yes reads the record."""


def known_formats() -> tuple[Format, ...]:
    """All formats in the order in which they are asked.

    Those that other distributions bring come right after agentcal's own: whoever installed them
    wants them to win over a general one. One whose name is taken is reached by no name.
    """
    return (*FORMATS[:1], *installed(), *FORMATS[1:])


def chosen(wanted: str | Format) -> tuple[Format, ...]:
    """All formats for ``"auto"``, the one of that name, or the one given.

    Raises :class:`ConfigError` for a name that no format has.
    """
    if not isinstance(wanted, str):
        return (wanted,)
    if wanted == "auto":
        return known_formats()
    named = [known for known in (*FORMATS, *installed()) if known.name == wanted]
    if not named:
        names = ", ".join(["auto", *(known.name for known in known_formats())])
        raise ConfigError(f"format={wanted!r} is not known; give one of: {names}, or a Format")
    return (named[0],)
