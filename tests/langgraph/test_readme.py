"""The example in the readme of the integrations does what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest


def test_example(capsys: pytest.CaptureFixture[str]) -> None:
    text = (Path(__file__).parents[2] / "integrations" / "README.md").read_text(encoding="utf-8")
    code = re.findall(r"```python\n(.*?)```", text, re.DOTALL)[0]
    exec(compile(code, "integrations/README.md", "exec"), {})  # noqa: S102 - our own document
    assert capsys.readouterr().out.splitlines() == [
        "['What does bob hold?', 'And now?', 'Still?']",
        "bob holds 20",
    ]
