"""What was learnt from: enough to know a run or a group again, without its name."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable
from functools import cached_property
from hashlib import sha256
from typing import Self

from pydantic import BaseModel, ConfigDict, field_validator

from agentcal.trajectory import Trajectory

_BYTES = 6
"""A new run passes for one of 100,000 known ones with a chance of 4 in 10 billion."""


def mark_of(run: Trajectory) -> bytes:
    """6 bytes by which a run is known again; outcomes may change, and logs number runs from 0."""
    return _mark(json.dumps([run.run_id, run.task, run.agent, run.model]))


class Seen(BaseModel):
    """The runs that something was learnt from, and their groups, as digests of 6 bytes each.

    ``runs`` and ``groups``: the sorted digests one after the other, in Base64; 8 characters each,
    so 100,000 runs take 0.8 MB. They hold no names, but whoever can guess a name can check it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    runs: str
    groups: str

    @field_validator("runs", "groups")
    @classmethod
    def _whole(cls, packed: str) -> str:
        if len(b64decode(packed, validate=True)) % _BYTES:
            raise ValueError(f"not a row of digests of {_BYTES} bytes")
        return packed

    @classmethod
    def of(cls, marks: Iterable[bytes], groups: Iterable[str]) -> Self:
        """From the :func:`mark_of` each run and the names of their groups."""
        return cls(runs=_packed(marks), groups=_packed(map(_mark, groups)))

    def has_run(self, run: Trajectory) -> bool:
        """Whether this run is one of them."""
        return mark_of(run) in self._runs

    def has_group(self, name: str) -> bool:
        """Whether any of them is of the group of that name."""
        return _mark(name) in self._groups

    @cached_property
    def _runs(self) -> frozenset[bytes]:
        return _unpacked(self.runs)

    @cached_property
    def _groups(self) -> frozenset[bytes]:
        return _unpacked(self.groups)


def _mark(text: str) -> bytes:
    # What a function calls a group may hold lone surrogates.
    return sha256(text.encode(errors="surrogatepass")).digest()[:_BYTES]


def _packed(marks: Iterable[bytes]) -> str:
    return b64encode(b"".join(sorted(set(marks)))).decode()


def _unpacked(packed: str) -> frozenset[bytes]:
    data = b64decode(packed)
    return frozenset(data[at : at + _BYTES] for at in range(0, len(data), _BYTES))
