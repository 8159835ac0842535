"""Features in words, for people who have to act on them."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable
from functools import lru_cache
from importlib import resources

from agentcal.calibration._calls import Calls
from agentcal.calibration._columns import COLUMNS
from agentcal.features import Feature

_FEATURE = {feature.name: feature for feature in COLUMNS}
_TIMES = {1.0: "once", 2.0: "twice"}


def phrase(name: str, value: float, calls: Calls | None = None, usual: float | None = None) -> str:
    """One clause about a feature's value; names the tool concerned where ``calls`` tell.

    Sizes are given next to their ``usual`` value. The clauses stand in ``phrases.toml``; a feature
    without one is given with its definition.
    """
    feature = _FEATURE[name]
    if math.isnan(value):
        return _tables()["missing"].get(feature.missing, feature.missing)
    named = _NAMED[name](calls, value) if calls is not None and name in _NAMED else None
    return named or _said(feature, value, usual) or _defined(feature, value)


@lru_cache(maxsize=1)
def _tables() -> dict[str, dict[str, str]]:
    text = resources.files("agentcal.calibration").joinpath("phrases.toml").read_text("utf-8")
    return tomllib.loads(text)


def _said(feature: Feature, value: float, usual: float | None) -> str | None:
    said = _tables()["said"].get(feature.name)
    if said is None:
        return None
    options = said.split(" | ")
    chosen = options[_which(len(options), feature, value)]
    text = chosen.format_map(_fields(value))
    if usual is None or len(options) == 2 or chosen.count("{") != 1 or feature.low < 0:
        return text
    field = chosen[chosen.index("{") : chosen.index("}") + 1]
    then = field.format_map(_fields(usual))
    tells = field != "{times}" and then not in ("0", "0%", *text.split())
    return f"{text} (usually {then})" if tells else text


def _fields(value: float) -> dict[str, str]:
    return {
        "n": _number(abs(value)),
        "p": _percent(abs(value)),
        "x": f"{abs(value):.3g}",
        "v": f"{value:.2g}",
        "odds": _chance(-value),
        "chance": _chance(value),
        "times": _TIMES.get(value, f"{_number(value)} times"),
        "tenfold": _number(10 * value),
    }


def _which(options: int, feature: Feature, value: float) -> int:
    if options == 2:
        return int(value >= 0.5)
    if options == 3 and feature.low < 0:
        return 1 + (value > 0) - (value < 0)
    return 0 if options == 1 or value == 0 else 1 if value == 1 else 2


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == round(value) else f"{value:.1f}"


def _percent(value: float) -> str:
    if 0 < value < 0.01:
        return "less than 1%"
    return "more than 99%" if 0.99 < value < 1 else f"{value:.0%}"


def _chance(surprise: float) -> str:
    """The probability exp(-surprise), as a share or as one in so many."""
    p = math.exp(-max(0.0, surprise))
    if p >= 0.01:
        return _percent(p)
    return f"1 in {float(f'{1 / p:.1g}'):,.0f}" if p > 1e-6 else "less than 1 in a million"


def _defined(feature: Feature, value: float) -> str:
    if feature.definition.startswith("1 if "):
        condition = feature.definition.removeprefix("1 if ")
        return condition if value >= 0.5 else f"not so: {condition}"
    if feature.low >= 0 and feature.high == 1:
        return f"{feature.definition}: {_percent(value)}"
    return f"{feature.definition}: {value:.3g}"


def _errors(calls: Calls, value: float) -> str | None:
    failed = calls.failed
    if not failed or failed.total() != value:
        return None
    tool, n = failed.most_common(1)[0]
    if value == 1:
        return f"a call to {tool} returned an error"
    if n == value:
        return f"{n} calls to {tool} returned errors"
    return f"{_number(value)} calls returned errors, {n} of them to {tool}"


def _in_error(calls: Calls, value: float) -> str | None:
    tools = calls.in_error
    if not tools or len(tools) != value:
        return None
    if len(tools) <= 2:
        return f"{' and '.join(tools)} failed when last called"
    return f"{tools[-1]} and {len(tools) - 1} other tools failed when last called"


def _error_streak(calls: Calls, value: float) -> str | None:
    last = calls.results[-int(value) :] if value >= 1 else []
    if not last or len({call.name for call in last}) > 1:
        return None
    tool = last[0].name
    if value == 1:
        return f"the newest result, of {tool}, is an error"
    return f"the last {_number(value)} results, all of {tool}, are errors"


def _repeats(calls: Calls, value: float) -> str | None:
    if value < 1 or not calls.proposed:
        return None
    tool, n = calls.most_repeated
    if n < 2:
        return None
    more = "" if n - 1 == value else f"; {_number(value)} calls repeat earlier ones in all"
    return f"{tool} was called {_TIMES.get(n, f'{n} times')} with the same arguments{more}"


def _tool_streak(calls: Calls, value: float) -> str | None:
    if value < 2 or not calls.proposed:
        return None
    return f"the last {_number(value)} calls went to {calls.proposed[-1].name}"


def _empty(calls: Calls, value: float) -> str | None:
    tools = {call.name for call in calls.empty}
    if value < 1 or len(calls.empty) != value or len(tools) > 1:
        return None
    n = "a call" if value == 1 else f"{_number(value)} calls"
    return f"{n} to {tools.pop()} returned nothing"


def _missing_tool(calls: Calls, value: float) -> str | None:
    if not calls.missing or not value:
        return None
    return f"{_percent(value)} of successful runs that share its tools also called {calls.missing}"


_NAMED: dict[str, Callable[[Calls, float], str | None]] = {
    "errors": _errors,
    "tools_in_error": _in_error,
    "error_streak": _error_streak,
    "repeats": _repeats,
    "tool_streak": _tool_streak,
    "empty_results": _empty,
    "missing_tool": _missing_tool,
}
