"""Where LightGBM cannot start, people are told what it needs."""

from __future__ import annotations

import builtins
from typing import Any

import pytest

import agentcal as ac
from agentcal._lightgbm import lightgbm


def test_the_missing_runtime_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_runtime(name: str, *rest: Any) -> Any:
        if name == "lightgbm":
            raise OSError("libgomp.so.1: cannot open shared object file: No such file or directory")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_runtime)
    with pytest.raises(ac.ConfigError, match=r"libgomp.so.1: .*apt-get install libgomp1"):
        lightgbm()
