"""The scored runs on which alarms are measured: a verifier's score for every step, and the outcome.

HotpotQA and GSM8K runs published with e-valuator (MIT), one run a problem.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

DATA = {"HotpotQA": "hotpotqa_w_scores.csv.gz", "GSM8K": "gsm8k_w_scores.csv.gz"}


@dataclass(frozen=True, slots=True)
class Scored:
    """Runs, one a problem: the scores of their steps in order, and whether they succeeded."""

    problems: list[str]
    scores: list[list[float]]
    solved: NDArray[np.bool_]

    def only(self, which: NDArray[np.intp]) -> Scored:
        chosen = which.tolist()
        return Scored(
            [self.problems[i] for i in chosen],
            [self.scores[i] for i in chosen],
            self.solved[which],
        )

    @property
    def rows(self) -> int:
        return sum(map(len, self.scores))


def load(data: Path, name: str) -> Scored:
    """The runs of one set; their steps are numbered 1, 2, ... in the file."""
    scores: dict[str, list[float]] = {}
    solved: dict[str, bool] = {}
    with gzip.open(data / "evaluator" / DATA[name], "rt", encoding="utf-8", newline="") as text:
        for row in csv.DictReader(text):
            run = scores.setdefault(row["uq_problem_idx"], [])
            run.append(float(row["judge_probability"]))
            if len(run) != int(row["num_steps"]):
                raise ValueError(f"{name}, {row['uq_problem_idx']}: a step is missing")
            solved[row["uq_problem_idx"]] = row["solved"] == "True"
    return Scored(list(scores), list(scores.values()), np.array(list(solved.values())))


def held_out(runs: Scored) -> Scored:
    """The problems on which the method was never tried while it was designed.

    Which they are was fixed beforehand, by a digest of their names: about half.
    """
    digests = [hashlib.sha256(name.encode()).digest() for name in runs.problems]
    return runs.only(np.flatnonzero([digest[0] >= 128 for digest in digests]))
