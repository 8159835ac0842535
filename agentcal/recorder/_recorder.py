"""The recorder: starts runs, and finds interrupted ones again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

from pydantic import JsonValue

from agentcal.errors import ConfigError
from agentcal.recorder._faults import Faults
from agentcal.recorder._keeper import Keeper
from agentcal.recorder._observer import Observer
from agentcal.recorder._pending import PendingRun, PendingRuns
from agentcal.recorder._record import Record
from agentcal.recorder._run import Run
from agentcal.recorder._shared import Shared
from agentcal.recorder._stats import Counters, RecorderStats
from agentcal.recorder._writer import Writer
from agentcal.sinks import Sink
from agentcal.trajectory import Intervention, Limits, ToolDeclaration, Trajectory

if TYPE_CHECKING:
    from agentcal.calibration import Calibrator

_LEAST_QUEUE = 1000


class Recorder:
    """Watches runs of agents: events in, trajectories and live confidence out.

    Args:
        calibrator: Scores every model turn; without one, runs are only recorded.
        sinks: Where runs go when they are over, written in a thread of the recorder.
        observers: Told what happens while it happens, in the thread of the agent.
        pending: Where interrupted runs wait. By default in memory: what still waits when the
            recorder is closed goes to the sinks. ``SqlitePending`` lets another process go on.
        max_open_runs: With more, the run that was idle longest is closed: it goes to the sinks
            with ``end_reason`` "unknown" and a gap. As many more, and at least 1,000, may wait for
            the sinks.
        expire_after_s: A run in which nothing happens for so long (seconds) is closed likewise.

    Raises:
        ConfigError: A number is out of range.
    """

    def __init__(
        self,
        calibrator: Calibrator | None = None,
        *,
        sinks: Sequence[Sink] = (),
        observers: Sequence[Observer] = (),
        pending: PendingRuns | None = None,
        max_open_runs: int = 10_000,
        expire_after_s: float = 3600.0,
    ) -> None:
        if max_open_runs < 1 or not expire_after_s > 0:
            raise ConfigError(
                f"max_open_runs={max_open_runs}, expire_after_s={expire_after_s}: "
                "give at least 1 run and more than 0 seconds"
            )
        self._counters = Counters()
        faults = Faults(self._counters)
        self._shared = Shared(calibrator, tuple(observers), self._counters, faults)
        self._keeper = Keeper(
            Writer(sinks, faults, self._counters, max(max_open_runs, _LEAST_QUEUE)),
            pending,
            self._counters,
            most=max_open_runs,
            expire_s=expire_after_s,
        )

    @property
    def stats(self) -> RecorderStats:
        """What was counted so far."""
        return self._counters.stats()

    def start(
        self,
        *,
        run_id: str | None = None,
        conversation: str | None = None,
        task: str = "",
        system: str = "",
        tools: Iterable[ToolDeclaration] = (),
        agent: str | None = None,
        model: str | None = None,
        group: str | None = None,
        family: str | None = None,
        limits: Limits | None = None,
        metadata: Mapping[str, JsonValue] | None = None,
        started_at: datetime | None = None,
    ) -> Run:
        """A request came in. A run that was interrupted in the same conversation is given up.

        ``run_id`` is a random one by default, ``started_at`` now. Never raises: what cannot be kept
        is left out and named in the ``gaps`` of the run.
        """
        facts = {
            "conversation": conversation,
            "task": task,
            "system": system,
            "tools": tools,
            "agent": agent,
            "model": model,
            "group": group,
            "family": family,
            "limits": limits,
            "metadata": metadata or {},
            "started_at": started_at or datetime.now(UTC),
        }
        head = self._head(run_id or uuid4().hex, facts)
        run = Run(Record(head), self._shared, self._keeper)
        self._counters.add("started")
        self._keeper.open(run)
        if run.conversation is not None:
            self._keeper.desk.supersede(run.conversation)
        run._begin("started")
        return run

    def resume(self, conversation: str, *, detail: str = "") -> Run | None:
        """Go on with the run that was interrupted in this conversation; None if there is none.

        Reads from the pending store, which may touch the disk. Never raises.
        """
        try:
            found = self._keeper.desk.take(conversation)
            return None if found is None else self._restored(found, detail)
        except Exception as error:
            self._shared.faults.note("resuming a run", error)
            return None

    def failed(self, doing: str, error: BaseException) -> None:
        """As :meth:`Run.failed`, where no run could be opened or it is over: counted and logged."""
        self._shared.faults.note(doing, error)

    def _head(self, run_id: str, facts: dict[str, Any]) -> Trajectory:
        try:
            return Trajectory.model_validate({"run_id": run_id, **facts})
        except Exception as error:
            self._shared.faults.note("starting a run", error)
        known, gaps = {}, []
        for name, value in facts.items():
            try:
                known[name] = getattr(Trajectory.model_validate({"run_id": "x", name: value}), name)
            except Exception:
                gaps.append(f"{name} was not valid when the run started")
        return Trajectory.model_validate({"run_id": str(run_id), "gaps": gaps, **known})

    def _restored(self, found: PendingRun, detail: str) -> Run:
        head = found.trajectory
        head.end_reason = "unknown"
        head.metadata.pop("interrupted", None)
        record = Record(head, found.keys)
        if record.steps:
            entry = Intervention(step=len(record.steps) - 1, kind="resumed", detail=detail)
            record.interventions.append(entry)
        run = Run(record, self._shared, self._keeper)
        self._counters.add("resumed")
        self._keeper.open(run)
        run._begin("resumed")
        return run

    def close(self, timeout_s: float = 10.0) -> None:
        """Close open runs, write all that waits for the sinks, and close these.

        Waits for at most ``timeout_s`` seconds. Also done at the exit of the process. Runs that are
        started later are not written.
        """
        self._keeper.close(timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
