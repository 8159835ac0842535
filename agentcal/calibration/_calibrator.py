"""The calibrator: what the user's own outcomes say a run's features mean."""

from __future__ import annotations

import math
from functools import cached_property
from pathlib import Path
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from agentcal._artefact import CALIBRATOR, digest, read_artefact, write_artefact
from agentcal._seen import Seen
from agentcal.calibration._calls import Calls
from agentcal.calibration._columns import fingerprint as columns_fingerprint
from agentcal.calibration._confidence import Confidence, Reason
from agentcal.calibration._head import Head
from agentcal.calibration._heads import OBSERVABLE, WITH_LOGPROBS
from agentcal.calibration._reasons import reasons_for
from agentcal.calibration._reference import Reference
from agentcal.calibration._report import FitReport
from agentcal.calibration._table import KINDS
from agentcal.errors import ArtefactError
from agentcal.features import FAMILY_OF, FEATURES, DecisionPoint, decision_points
from agentcal.trajectory import Trajectory

FloatArray = NDArray[np.float64]
Status = Literal["VALID", "DEGRADED", "VOID"]

_LOGPROBS = [i for i, feature in enumerate(FEATURES) if FAMILY_OF[feature.name] == "logprobs"]
_FIRST_LOGPROB = _LOGPROBS[0] if _LOGPROBS else 0
_AFTER_LOGPROB = _LOGPROBS[-1] + 1 if _LOGPROBS else 0


class Settings(BaseModel):
    """How a calibrator was made.

    ``tools``: digest of the declarations that :func:`agentcal.declare_tools` merged into the runs,
    None without, "several" where the runs differ in it.
    """

    model_config = ConfigDict(extra="forbid")

    group: str
    success_at: float
    categoricals: list[str]
    seed: int
    folds: int
    agentcal_version: str
    lightgbm_version: str
    tools: str | None = None


class Calibrator(BaseModel):
    """P(success) at every decision point. Made by :func:`agentcal.fit`; never acts.

    ``status``: VALID; DEGRADED when it works but rests on less than it should (``notes`` say what);
    VOID when somebody withdrew it, and then it refuses to score. ``seen``: the runs
    and groups that it learnt from, which :func:`agentcal.evaluate`, ``certify`` and ``replay`` know
    again and leave out.
    """

    model_config = ConfigDict(extra="forbid")

    features: str
    settings: Settings
    status: Status
    notes: list[str]
    reference: Reference
    heads: dict[str, Head]
    report: FitReport
    seen: Seen

    @cached_property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that change with anything in the calibrator."""
        return digest(self.model_dump(mode="json"))[:16]

    def predict(
        self,
        point: DecisionPoint,
        *,
        agent: str | None = None,
        model: str | None = None,
        family: str | None = None,
    ) -> Confidence:
        """The confidence at one decision point, live or recorded.

        ``agent``, ``model`` and ``family`` (the kind of task) matter only where they were declared
        as categoricals. Raises
        :class:`ArtefactError` if the calibrator is VOID or the point has other features.
        """
        head = self._head(point)
        categories = {"agent": agent or "", "model": model or "", "family": family or ""}
        scored = head.score(self.row(point) if head.compares else point.vector, categories)
        return Confidence(
            scored.value,
            scored.low,
            scored.high,
            scored.thinness,
            scored.support,
            scored.support > head.support.floor,
            point.kind,
            point.turn,
            self.fingerprint,
        )

    def score(self, run: Trajectory) -> list[Confidence]:
        """The confidence at each decision point of a recorded run, then of the finished run."""
        return [
            self.predict(point, agent=run.agent, model=run.model, family=run.family)
            for point in decision_points(run)
        ]

    def reasons(
        self,
        point: DecisionPoint,
        *,
        top: int = 3,
        agent: str | None = None,
        model: str | None = None,
        family: str | None = None,
        run: Trajectory | None = None,
    ) -> list[Reason]:
        """The ``top`` features that moved this confidence most, largest effect first.

        Costs about a millisecond, so it is only done when asked for. With ``run``, a reason names
        the tool that it is about where it can.
        """
        categories = {"agent": agent or "", "model": model or "", "family": family or ""}
        head, row = self._head(point), self.row(point)
        missing = self.reference.missing_tool(point.tools)
        calls = None if run is None else Calls(run, point, missing)
        return reasons_for(head, row, categories, top, calls)

    def row(self, point: DecisionPoint) -> FloatArray:
        """What a head sees (p + q,): the features of the point, then those of the reference."""
        # As in the fold, packing takes a fraction of the time of assigning to an array.
        return np.frombuffer(point.vector.tobytes() + self.reference.packed(point.tools))

    def _head(self, point: DecisionPoint) -> Head:
        if self.status == "VOID":
            raise ArtefactError(f"calibrator {self.fingerprint} is VOID: {'; '.join(self.notes)}")
        x = point.vector
        if len(x) != len(FEATURES):
            raise ArtefactError(
                f"the point has {len(x)} features, this calibrator knows {len(FEATURES)}; "
                "make it with the Fold of this agentcal"
            )
        observable, with_logprobs = self._of_kind[point.kind]
        if with_logprobs is None or all(map(math.isnan, x[_FIRST_LOGPROB:_AFTER_LOGPROB])):
            return observable
        return with_logprobs

    @cached_property
    def _of_kind(self) -> dict[str, tuple[Head, Head | None]]:
        heads = self.heads
        return {
            kind: (heads[f"{OBSERVABLE}/{kind}"], heads.get(f"{WITH_LOGPROBS}/{kind}"))
            for kind in KINDS
        }

    def void(self, reason: str) -> Self:
        """A copy that refuses to score, and says why."""
        withdrawn = self.model_copy(update={"status": "VOID", "notes": [*self.notes, reason]})
        withdrawn.__dict__.pop("fingerprint", None)
        return withdrawn

    def save(self, path: str | Path, *, key: bytes | None = None) -> None:
        """Write one JSON file, signed with ``key`` (HMAC-SHA256) if given.

        Raises :class:`ArtefactError` if it cannot be written.
        """
        write_artefact(Path(path), self.model_dump(mode="json"), key, CALIBRATOR)

    @classmethod
    def load(cls, path: str | Path, *, key: bytes | None = None) -> Self:
        """Read a calibrator. With ``key``, the signature is checked too.

        Raises :class:`ArtefactError` for a missing, damaged, tampered or foreign file, and for one
        that was fitted on the features of another version of agentcal.
        """
        body = read_artefact(Path(path), key, CALIBRATOR)
        if body.get("features") != columns_fingerprint():
            raise ArtefactError(
                f"{path}: fitted on features {body.get('features')!r}, this agentcal computes "
                f"{columns_fingerprint()!r}; fit again"
            )
        try:
            return cls.model_validate(body)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise ArtefactError(f"{path}: {where}: {first['msg']}; fit again") from error
