"""Saving and loading: one JSON document, checked against its own digest."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from agentcal.errors import ArtefactError


class Sort(NamedTuple):
    """A sort of document: its mark, its version, and how people speak of it.

    ``anew`` is what to do about one that cannot be used.
    """

    format: str
    schema_version: int
    noun: str
    written_by: str
    anew: str


CALIBRATOR = Sort(
    "agentcal-calibrator", 1, "calibrator", "Calibrator.save or `agentcal fit`", "fit again"
)
POLICY = Sort("agentcal-policy", 1, "policy", "Policy.save or `agentcal certify`", "certify again")


def canonical(body: dict[str, Any]) -> bytes:
    """The bytes that the digest is taken over: sorted keys, no spaces, ASCII."""
    return json.dumps(body, sort_keys=True, separators=(",", ":")).encode()


def digest(body: dict[str, Any]) -> str:
    """SHA-256 of the canonical body."""
    return hashlib.sha256(canonical(body)).hexdigest()


def write_artefact(path: Path, body: dict[str, Any], key: bytes | None, sort: Sort) -> None:
    """Write ``body`` with its digest, and its HMAC-SHA256 under ``key`` if one is given.

    The file appears whole or not at all. Raises :class:`ArtefactError` if it cannot be written.
    """
    document: dict[str, Any] = {"format": sort.format, "schema_version": sort.schema_version}
    document["sha256"] = digest(body)
    if key is not None:
        document["hmac_sha256"] = hmac.new(key, canonical(body), "sha256").hexdigest()
    document["body"] = body
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with partial.open("x", encoding="utf-8") as file:
            json.dump(document, file)
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        raise ArtefactError(f"{path}: cannot write the {sort.noun}: {error}") from error


def read_artefact(path: Path, key: bytes | None, sort: Sort) -> dict[str, Any]:
    """The checked body of an artefact.

    Raises :class:`ArtefactError` when the file is missing, is not JSON, is something else, has
    another schema version, was changed after it was written, or fails the HMAC under ``key``.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ArtefactError(f"{path}: cannot read the {sort.noun}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ArtefactError(
            f"{path}: not a {sort.noun}: the file is not JSON ({error}); "
            f"give a file written by {sort.written_by}"
        ) from error
    return _checked(path, document, key, sort)


def _checked(path: Path, document: Any, key: bytes | None, sort: Sort) -> dict[str, Any]:
    if not isinstance(document, dict) or document.get("format") != sort.format:
        raise ArtefactError(f"{path}: not a {sort.noun}; give a file written by {sort.written_by}")
    if document.get("schema_version") != sort.schema_version:
        raise ArtefactError(
            f"{path}: schema version {document.get('schema_version')!r}, this agentcal reads "
            f"{sort.schema_version}; {sort.anew} or install the agentcal that wrote it"
        )
    body = document.get("body")
    if not isinstance(body, dict) or document.get("sha256") != digest(body):
        raise ArtefactError(
            f"{path}: the content does not match its digest: the file was changed or damaged after "
            f"it was written; {sort.anew} or restore it"
        )
    if key is not None:
        expected = hmac.new(key, canonical(body), "sha256").hexdigest()
        given = str(document.get("hmac_sha256", ""))
        if not hmac.compare_digest(expected.encode(), given.encode(errors="replace")):
            raise ArtefactError(f"{path}: the signature is missing or was made with another key")
    return body
