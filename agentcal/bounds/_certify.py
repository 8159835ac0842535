"""A threshold that keeps a failure rate, with a stated probability."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from agentcal.bounds._checked import Flags, check_grid, check_share
from agentcal.bounds._order import default_grid, sequence
from agentcal.bounds._results import NotCertified, ThresholdCertificate
from agentcal.bounds._runs import Runs
from agentcal.bounds._search import SET_APART, Search
from agentcal.errors import NotEnoughData


def certify_threshold(
    scores: ArrayLike,
    failed: ArrayLike,
    groups: ArrayLike,
    *,
    max_failure_rate: float,
    confidence: float = 0.95,
    grid: Sequence[float] | None = None,
    planned: tuple[ArrayLike, ArrayLike] | None = None,
    seed: int = 0,
) -> ThresholdCertificate | NotCertified:
    """The loosest threshold at which at most ``max_failure_rate`` of the accepted runs fail.

    ``scores`` (r,): the lowest confidence of each run over its gated decision points, in [0, 1];
    1.0 or inf for a run with none, which always proceeds; -inf for one that something else stops
    whatever the threshold. A run is accepted at ``t`` where its score is ``t`` or more. ``failed``
    (r,): whether it failed. ``groups`` (r,): labels of what is independent, the task as a rule.
    The scores must come from a calibrator that has not seen these runs.

    Thresholds are tested one after the other, each at the full level, from the most promising one
    down to looser ones until one fails (fixed-sequence testing; Angelopoulos et al., arXiv
    2110.01052), with the test of :class:`GroupedRate` on all runs. ``grid`` are the thresholds, by
    default 50 steps of the share accepted. Grid and order must not depend on the runs that are
    tested: both come from ``planned``, (scores, failed) of other runs such as out-of-fold scores
    of the training runs. Without it 15% of the groups, drawn with ``seed`` blind to score and
    outcome, are set apart for that. Nothing else is random.

    Raises ``ConfigError`` for malformed input and ``NotEnoughData`` for no runs, or a single group
    of which none can be set apart.
    """
    check_share(max_failure_rate, "max_failure_rate")
    check_share(confidence, "confidence")
    runs = Runs.checked(scores, failed, groups)
    thresholds = None if grid is None else check_grid(grid)
    if thresholds is not None and thresholds.size == 1:
        only = Search(runs, thresholds, thresholds, "single", None)
        return only.result(max_failure_rate, confidence)
    if planned is not None:
        past = Runs.checked(*planned, np.zeros(np.size(planned[0])))
        rest, drawn_with = runs, None
    else:
        apart = _drawn(runs, seed)
        past, rest, drawn_with = runs.only(apart), runs.only(~apart), seed
    steps = default_grid(past.score) if thresholds is None else thresholds
    tests = sequence(past.score, past.failed, steps, max_failure_rate)
    search = Search(rest, steps, tests, "split" if planned is None else "planned", drawn_with)
    return search.result(max_failure_rate, confidence)


def _drawn(runs: Runs, seed: int) -> Flags:
    groups = runs.groups
    if groups < 2:
        raise NotEnoughData(
            "a single group, and no other runs to order the tests by: give runs of more groups, "
            "planned=(scores, failed) of other runs, or a grid of one threshold"
        )
    apart = max(1, round(SET_APART * groups))
    return np.isin(runs.group, np.random.default_rng(seed).permutation(groups)[:apart])
