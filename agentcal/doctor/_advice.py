"""The table of advice: what the lack of something costs, and how to switch it on where."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import NamedTuple

from agentcal.doctor._diagnosis import Advice

ANY = "any"


class Entry(NamedTuple):
    """One table of the file."""

    cost: str
    how: Mapping[str, str]
    models: Mapping[str, str]


@cache
def table() -> dict[str, Entry]:
    """All advice by what it is about."""
    text = resources.files("agentcal.doctor").joinpath("advice.toml").read_text("utf-8")
    return {
        about: Entry(entry.get("cost", ""), entry["how"], entry.get("models", {}))
        for about, entry in tomllib.loads(text).items()
    }


def advice(about: str, origins: Iterable[str], models: Iterable[str] = ()) -> list[Advice]:
    """One piece for each origin that has its own, one for all others, and those by model."""
    entry = table()[about]
    found: dict[str, str] = {}
    for origin in origins:
        where = origin if origin in entry.how else ANY
        found.setdefault(where, entry.how[where])
    if not found:
        found[ANY] = entry.how[ANY]
    for model in models:
        found |= {part: how for part, how in entry.models.items() if part in model.lower()}
    return [Advice(where=where, how=how) for where, how in found.items()]


def hopeless(about: str, models: Iterable[str]) -> bool:
    """Whether no model that was used could have given the signal, as far as is known."""
    named = [model.lower() for model in models]
    parts = table()[about].models
    return bool(named) and all(any(part in model for part in parts) for model in named)
