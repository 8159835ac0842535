"""Runs whose confidences are written into them, and a calibrator that reads them off."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

import agentcal as ac
from agentcal._seen import mark_of
from agentcal.calibration import Confidence, Seen, Settings
from agentcal.policy import Policy, Tier
from agentcal.trajectory import Outcome, Step, ToolCall, ToolDeclaration, Trajectory

TOOLS = [
    ToolDeclaration(name="look", read_only=True),
    ToolDeclaration(name="save", read_only=False, destructive=False),
    ToolDeclaration(name="drop", destructive=True),
]
FINGERPRINT = "scripted12345678"


class Scripted:
    """Stands in for a Calibrator that was fitted elsewhere: its scores are in the metadata."""

    fingerprint = FINGERPRINT

    def __init__(self, learnt: list[Trajectory] | None = None, group: str = "task") -> None:
        runs = learnt or []
        self.seen = Seen.of(map(mark_of, runs), [run.group or "" for run in runs])
        self.settings = Settings(
            group=group,
            success_at=1.0,
            categoricals=[],
            seed=0,
            folds=5,
            agentcal_version="0",
            lightgbm_version="0",
        )

    def score(self, run: Trajectory) -> list[Confidence]:
        values: Any = run.metadata["values"]
        return [
            Confidence(v, 0.0, 1.0, 0.01, 0.5, True, "tool_turn", turn, FINGERPRINT)
            for turn, v in enumerate([*values, values[-1]], 1)
        ]


def run_of(*turns: tuple[str, float], success: bool = True, **fields: Any) -> Trajectory:
    """A run of these turns, each a tool or "answer" with its confidence."""
    steps = [
        Step(text="done") if name == "answer" else Step(tool_calls=[ToolCall(name=name)])
        for name, _ in turns
    ]
    about: dict[str, Any] = {
        "run_id": "r0",
        "group": "g0",
        "agent": "ann",
        "model": "small",
        "tools": TOOLS,
        "outcome": Outcome(value=float(success)),
        **fields,
    }
    return Trajectory(steps=steps, metadata={"values": [v for _, v in turns]}, **about)


def many(n: int, seed: int = 0, *, per_group: int = 2, alike: float = 1.0) -> list[Trajectory]:
    """``n`` groups of runs that are alike; what the confidences say is right on average."""
    rng = np.random.default_rng(seed)
    runs = []
    for group in range(n):
        task = rng.normal(1.4, 1.3)
        for k in range(per_group):
            quality = task + rng.normal(0, alike)
            success = bool(rng.random() < 1 / (1 + np.exp(-2 * quality)))
            names = ["look", *rng.choice(["look", "save", "drop"], int(rng.integers(1, 4)))]
            if rng.random() < 0.9:
                names.append("answer")
            seen = np.arange(1, len(names) + 1) / len(names)
            log_odds = 2 * quality * seen + (1 - seen) + rng.normal(0, 0.4, len(names))
            values = 1 / (1 + np.exp(-log_odds))
            turns = zip(names, values.tolist(), strict=True)
            runs.append(
                run_of(*turns, success=success, run_id=f"{seed}/{group}/{k}", group=f"g{group}")
            )
    return runs


def tiers_certified(policy: Policy, run: Trajectory) -> dict[str, Tier]:
    """The tiers in the scope of a certificate that is made from many runs like this one."""
    metadata: Any = {"values": [0.5] * len(run.steps)}
    runs = [
        run.model_copy(
            update={
                "run_id": f"like-{k}",
                "group": f"g{k}",
                "metadata": metadata,
                "outcome": Outcome(value=float(k % 9 > 0)),
            }
        )
        for k in range(60)
    ]
    made = ac.certify(policy, cast("ac.Calibrator", Scripted()), runs, progress=False).certificate
    assert made is not None
    return dict(made.scope.tools)
