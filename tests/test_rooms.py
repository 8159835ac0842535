"""Each room is entered through its door: nobody imports what another room keeps private."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("agentcal", "integrations/agentcal_langgraph", "integrations/agentcal_langchain")


def imported(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def trespasses(module: str, source: str) -> list[str]:
    """Imports of ``a.b._c`` by a module that is not in ``a.b``, for packages of ours."""
    found = []
    for name in imported(source):
        parts = name.split(".")
        private = next((k for k, part in enumerate(parts) if part.startswith("_")), None)
        ours = parts[0].startswith("agentcal")
        if (
            ours
            and private is not None
            and not f"{module}.".startswith(".".join(parts[:private]) + ".")
        ):
            found.append(name)
    return found


def modules() -> Iterator[tuple[str, Path]]:
    for package in PACKAGES:
        base = (ROOT / package).parent
        for path in sorted((ROOT / package).rglob("*.py")):
            yield ".".join(path.relative_to(base).with_suffix("").parts), path


def test_nobody_imports_what_another_room_keeps_private() -> None:
    found = {
        module: wrong
        for module, path in modules()
        if (wrong := trespasses(module, path.read_text(encoding="utf-8")))
    }
    assert not found


@pytest.mark.parametrize(
    ("module", "source", "wrong"),
    [
        ("agentcal.a.b", "from agentcal._shared import x", 0),
        ("agentcal.a.b", "from agentcal.a._c import x", 0),
        ("agentcal.a._c._d", "from agentcal.a._c import x", 0),
        ("agentcal.a.b", "from agentcal.e._c import x", 1),
        ("agentcal.a.b", "def f():\n    import agentcal.e._c", 1),
        ("agentcal.a.b", "from agentcal.e import _c", 1),
        ("agentcal_langgraph.b", "from agentcal._shared import x", 1),
        ("agentcal.a.b", "from lightgbm.basic import _LIB", 0),
    ],
)
def test_the_check_above_sees_them(module: str, source: str, wrong: int) -> None:
    assert len(trespasses(module, source)) == wrong
