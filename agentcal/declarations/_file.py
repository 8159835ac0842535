"""The declaration file: JSON with one line a tool, to be corrected by hand."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

from agentcal._files import write_lines
from agentcal._json import clean
from agentcal.declarations._merge import checked
from agentcal.errors import ConfigError
from agentcal.tools import HINTS, ToolKind
from agentcal.trajectory import ToolDeclaration

SCHEMA_VERSION = 1

_FIELDS = ("kind", *HINTS)
_KINDS = get_args(ToolKind)
_WRITTEN = "as `agentcal inspect tools RUNS --write FILE` writes it"


def write_declarations(
    declarations: Iterable[ToolDeclaration], path: str | os.PathLike[str]
) -> int:
    """Write a declaration file (UTF-8, sorted by name) and return the number of tools in it.

    Only what a person decides is kept: kind and hints, ``null`` where nothing is said. The file
    appears whole or not at all. Raises :class:`ConfigError` where :func:`read_declarations` would
    refuse the declarations, and ``OSError`` where the file cannot be written.
    """
    tools = checked(declarations, "tool declarations")
    entries = [
        f"    {_json(name)}: {_json({field: getattr(tool, field) for field in _FIELDS})}"
        for name, tool in sorted(tools.items())
    ]
    inner = "{\n" + ",\n".join(entries) + "\n  }" if entries else "{}"
    text = f'{{\n  "schema_version": {SCHEMA_VERSION},\n  "tools": {inner}\n}}\n'
    write_lines([clean(text).encode()], Path(path))
    return len(entries)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def read_declarations(path: str | os.PathLike[str]) -> list[ToolDeclaration]:
    """The tools of a declaration file, in its order; a field that is null or absent says nothing.

    Raises :class:`ConfigError` with file, tool and field for a file that is missing, is no JSON, is
    of another schema version, or has an unknown field, a wrong value, a tool twice or one whose
    declaration contradicts itself.
    """
    tools = _tools(path, _document(path))
    found = [_declaration(name, entry, f"{path}: tool {name!r}") for name, entry in tools.items()]
    return list(checked(found, str(path)).values())


class _TwiceError(ValueError):
    pass


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """JSON allows a key twice and keeps the last; in a file that people edit it is a mistake."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise _TwiceError(next(name for name in names if names.count(name) > 1))
    return found


def _document(path: str | os.PathLike[str]) -> Any:
    try:
        # Editors on Windows may put a byte order mark in front.
        text = Path(path).read_text(encoding="utf-8-sig")
        return json.loads(text, object_pairs_hook=_unique)
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot read the tool declarations: {error.strerror}; name a file {_WRITTEN}"
        ) from error
    except _TwiceError as error:
        raise ConfigError(f"{path}: {error.args[0]!r} stands there twice; keep one") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not JSON ({error}); mend it there") from error


def _tools(path: str | os.PathLike[str], document: Any) -> dict[str, Any]:
    if not isinstance(document, dict) or not isinstance(document.get("tools"), dict):
        raise ConfigError(
            f'{path}: no tool declarations; give {{"schema_version": {SCHEMA_VERSION}, "tools": '
            f'{{"send_money": {{"kind": "action"}}}}}}, {_WRITTEN}'
        )
    version = document.get("schema_version")
    if version != SCHEMA_VERSION or isinstance(version, bool):
        raise ConfigError(
            f"{path}: schema_version is {_shown(version)}, this agentcal reads {SCHEMA_VERSION}; "
            f"set it, or write the file anew {_WRITTEN}"
        )
    for field in document.keys() - {"schema_version", "tools"}:
        raise ConfigError(f"{path}: no field {field!r} is known beside 'tools'; take it out")
    tools: dict[str, Any] = document["tools"]
    return tools


def _declaration(name: str, entry: Any, where: str) -> ToolDeclaration:
    if not isinstance(entry, dict):
        raise ConfigError(f'{where}: {_shown(entry)} is no declaration; give {{"kind": ...}}')
    for field, value in entry.items():
        _check(field, value, where)
    # Names in runs are cleaned in the same way, and only what is equal is found.
    return ToolDeclaration(name=clean(name), **entry)


def _check(field: str, value: Any, where: str) -> None:
    if field not in _FIELDS:
        raise ConfigError(f"{where}: no field {field!r} is known; there are {', '.join(_FIELDS)}")
    if field == "kind":
        if value is not None and value not in _KINDS:
            allowed = ", ".join(f'"{kind}"' for kind in _KINDS)
            raise ConfigError(f"{where}: kind is {_shown(value)}; give {allowed} or null")
    elif value is not None and not isinstance(value, bool):
        raise ConfigError(f"{where}: {field} is {_shown(value)}; give true, false or null")


def _shown(value: Any) -> str:
    return json.dumps(value)[:60]
