"""Which run a hook of the middleware is called in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import NAMESPACE_OID, uuid4, uuid5

from langchain_core.runnables import RunnableConfig
from langgraph.config import get_config
from langgraph.runtime import Runtime

from agentcal import Calibrator
from agentcal.recorder import Recorder
from agentcal_langchain._harmless import harmless
from agentcal_langchain._joined import JoinedSeat, handlers_watch
from agentcal_langchain._open import OpenRun, open_runs
from agentcal_langchain._own import OwnSeat
from agentcal_langchain._seat import NoSeat, Seat
from agentcal_langchain._state import RunRecord, record_in
from agentcal_langgraph.building import Invocation, Labels, Watch, is_users


class Finder:
    """Finds the run of an agent by what its state says, or else by the thread."""

    def __init__(
        self,
        recorder: Recorder,
        calibrator: Calibrator | None,
        name: str,
        labels: Labels,
    ) -> None:
        self.runs = open_runs(recorder)
        self._recorder, self._calibrator, self._name = recorder, calibrator, name
        self._labels = labels

    def begin(self, state: Any, runtime: Runtime[Any]) -> Seat:
        """An agent begins: with a request of its own, or as part of a run that is going on."""
        return self._begin(state, runtime) or NoSeat()

    def quick(self, state: Any) -> Seat | None:
        """The run that is going on in this process; None: see :meth:`restored`."""
        return self._quick(state)

    def restored(self, state: Any) -> Seat:
        """The run that began elsewhere, or waited in the recorder's store; this may read a disk."""
        return self._restored(state) or NoSeat()

    def _broke(self, doing: str, error: Exception) -> None:
        """No run can be named to which that happened."""
        self._recorder.failed(doing, error)

    @harmless
    def _begin(self, state: Any, runtime: Runtime[Any]) -> Seat:
        config = get_config()
        joined = self._joined(config)
        if joined is not None:
            return joined
        metadata, info = config.get("metadata") or {}, runtime.execution_info
        ns = str(metadata.get("langgraph_checkpoint_ns") or "")
        outer = self.runs.around(ns)
        if outer is not None:
            return OwnSeat(self.runs, outer[0], outer[1], metadata)
        # The program may have chosen the id, to find the run again; the graph passes it on.
        run_id = (None if info is None else info.run_id) or uuid4().hex
        same = self.runs.get(run_id)
        if same is not None:
            return OwnSeat(self.runs, same, ns, metadata)
        thread = None if info is None else info.thread_id
        run = self._opened(run_id, {"messages": state["messages"]}, thread, metadata)
        run.watch.open()
        self.runs.add(run)
        return OwnSeat(self.runs, run, "", metadata)

    @harmless
    def _quick(self, state: Any) -> Seat | None:
        config = get_config()
        joined = self._joined(config)
        if joined is not None:
            return joined
        record = record_in(state, self._name)
        run = None if record is None else self.runs.get(record["run_id"])
        if record is None or run is None:
            return None
        return OwnSeat(self.runs, run, record["place"], config.get("metadata") or {})

    @harmless
    def _restored(self, state: Any) -> Seat:
        config = get_config()
        metadata = config.get("metadata") or {}
        record = record_in(state, self._name) or RunRecord(run_id=id_for(state), place="", turns={})
        with self.runs.restoring:
            run = self.runs.get(record["run_id"])
            if run is None:
                run = self._opened(record["run_id"], None, metadata.get("thread_id"), metadata)
                run.watch.recalled(state["messages"])
                self.runs.add(run)
        return OwnSeat(self.runs, run, record["place"], metadata)

    def _joined(self, config: RunnableConfig) -> Seat | None:
        recorded = handlers_watch(config)
        if recorded is None:
            return None
        ns = str((config.get("metadata") or {}).get("langgraph_checkpoint_ns") or "")
        outermost = "|" not in ns
        return JoinedSeat(recorded, self._recorder, self._calibrator, outermost=outermost)

    def _opened(
        self, run_id: str, given: Any, thread: str | None, metadata: Mapping[str, Any]
    ) -> OpenRun:
        """``given`` as in the call of a graph: None goes on with what waits on the thread."""
        invocation = Invocation(run_id, given, None, metadata, self._labels)
        return OpenRun(run_id, Watch(self._recorder, uuid4(), invocation), thread)


def id_for(state: Any) -> str:
    """For a request that began before this middleware was there: the same id in every hook."""
    asked = next((m for m in reversed(state["messages"]) if is_users(m)), None)
    return uuid4().hex if asked is None else uuid5(NAMESPACE_OID, str(asked.id)).hex
