"""A recorder to watch with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from agentcal_langgraph import uninstrument
from tests.langchain.agents import Watched, flaky_calls


@pytest.fixture
def watched() -> Iterator[Watched]:
    one = Watched()
    yield one
    one.recorder.close()


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    flaky_calls.clear()
    yield
    uninstrument()
