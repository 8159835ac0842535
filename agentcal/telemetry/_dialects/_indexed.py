"""Lists of objects that are spread over numbered attributes: ``prefix.0.message.role``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_MOST = 100_000


def indexed(attributes: Mapping[str, Any], prefix: str) -> list[Any]:
    """The list under ``prefix``, with its objects and lists put together again."""
    start = prefix + "."
    tree: dict[str, Any] = {}
    for name, value in attributes.items():
        if name.startswith(start):
            _plant(tree, name[len(start) :].split("."), value)
    items = _grown(tree)
    return items if isinstance(items, list) else []


def _plant(tree: dict[str, Any], path: list[str], value: Any) -> None:
    """Where a name is both a value and a prefix of others, the others win: they say more."""
    for step in path[:-1]:
        inner = tree.get(step)
        if not isinstance(inner, dict):
            inner = tree[step] = {}
        tree = inner
    if not isinstance(tree.get(path[-1]), dict):
        tree[path[-1]] = list(value) if isinstance(value, tuple) else value


def _grown(tree: Any) -> Any:
    if not isinstance(tree, dict):
        return tree
    grown = {key: _grown(value) for key, value in tree.items()}
    if grown and all(key.isascii() and key.isdecimal() and int(key) < _MOST for key in grown):
        return [grown[key] for key in sorted(grown, key=int)]
    return grown
