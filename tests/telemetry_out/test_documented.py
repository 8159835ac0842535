"""docs/telemetry.md lists what is emitted: no more, no less."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tests.telemetry_out.conftest import Watched
from tests.telemetry_out.test_content import all_that_can_happen

DOCUMENT = Path(__file__).parents[2] / "docs" / "telemetry.md"
NAME = re.compile(r"`((?:gen_ai|agentcal|error)\.[a-z_.]+)`")


def keys(things: Any) -> set[str]:
    return {key for thing in things for key in thing.attributes}


def test_every_attribute_that_is_emitted_is_documented(watched: Watched) -> None:
    all_that_can_happen(watched, content=True)
    spans, points = watched.to.spans, watched.to.metrics.values()
    emitted = keys(spans) | keys(event for span in spans for event in span.events)
    emitted |= keys(record.log_record for record in watched.to.events)
    emitted |= {key for several in points for key in keys(several)} | set(watched.to.metrics)
    documented = set(NAME.findall(DOCUMENT.read_text(encoding="utf-8")))
    assert emitted - documented == set()
    only_where_it_is_so = {"agentcal.logprobs", "agentcal.stated_confidence"}
    names = {"agentcal.success_probability", "gen_ai.evaluation.result", "agentcal.intervention"}
    names |= {"agentcal.decision", "agentcal.review"}
    assert documented - emitted == only_where_it_is_so | names
