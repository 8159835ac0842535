"""Policies as people write them: plain JSON without a digest."""

from __future__ import annotations

import json
from pathlib import Path

from agentcal.errors import ArtefactError, ConfigError
from agentcal.policy import Policy


def read_draft(path: str | Path) -> Policy:
    """A policy to certify: a file of :meth:`Policy.save`, or the fields of a policy as JSON.

    A saved one is checked against its digest as ever; what a person wrote has none. Raises
    :class:`ArtefactError` for a file that cannot be read and for one that was changed after it was
    saved, :class:`ConfigError` for fields that are no policy.
    """
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ArtefactError(f"{path}: cannot read the policy: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ArtefactError(f"{path}: not a policy: the file is not JSON ({error})") from error
    if isinstance(document, dict) and "format" in document:
        return Policy.load(path)
    try:
        return Policy.from_fields(document)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}; docs/policies.md lists the fields") from error
