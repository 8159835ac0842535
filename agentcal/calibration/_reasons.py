"""Why a confidence is what it is: contributions of features in log odds, put into words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from agentcal.calibration._calls import Calls
from agentcal.calibration._columns import COLUMNS
from agentcal.calibration._confidence import Reason
from agentcal.calibration._head import Head
from agentcal.calibration._phrases import phrase


def reasons_for(
    head: Head,
    x: NDArray[np.float64],
    categories: Mapping[str, str],
    top: int,
    calls: Calls | None,
) -> list[Reason]:
    """The ``top`` largest contributions at a row x (p + q,); ``calls`` know the tools by name.

    A linear contribution is coefficient x standardised value, measured from the average training
    row; a tree contribution is its SHAP value (Lundberg et al. 2020, LightGBM's ``pred_contrib``).
    A feature's missing flag counts with the feature. Features that say the same thing here make
    one reason, under the name of the one that adds most.
    """
    usual = head.blend.design.usual()
    effects = head.contributions(x, categories)
    merged: dict[str, Reason] = {}
    for name, effect in sorted(effects.items(), key=lambda item: -abs(item[1])):
        if abs(effect) <= _NOTHING:
            break
        text, value = _said(name, x, categories, calls, usual)
        first = merged.get(text)
        if first is not None:
            merged[text] = replace(first, effect=first.effect + effect)
        else:
            merged[text] = Reason(text, name, value, effect)
    return sorted(merged.values(), key=lambda reason: -abs(reason.effect))[:top]


def _said(
    name: str,
    x: NDArray[np.float64],
    categories: Mapping[str, str],
    calls: Calls | None,
    usual: Mapping[str, float],
) -> tuple[str, float]:
    if name in categories:
        return f"the {name} is {categories[name] or 'not named'}", math.nan
    value = float(x[_INDEX[name]])
    return phrase(name, value, calls, usual.get(name)), value


_INDEX = {feature.name: i for i, feature in enumerate(COLUMNS)}
_NOTHING = 1e-6
