"""A run as one JSON document."""

from __future__ import annotations

from pydantic_core import PydanticSerializationError

from agentcal.formats._write import encoded
from agentcal.trajectory import Trajectory


def as_json(run: Trajectory) -> bytes:
    """Without line breaks, in agentcal's own format; lone surrogates become U+FFFD."""
    # the version is a default and would be left out, but it is what marks the format
    head = f'{{"schema_version":{run.schema_version},'.encode()
    try:
        body = run.model_dump_json(exclude_defaults=True).encode()
    except PydanticSerializationError:
        body = encoded(run.model_dump(exclude_defaults=True))
    return head + body[1:]
