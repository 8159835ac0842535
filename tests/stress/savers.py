"""SQLite checkpointers that count as steps of a process whenever they write."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiosqlite
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from tests.stress.world import World

# The processes are killed, not the machine: what was handed to the system is safe.
_QUICK = "PRAGMA synchronous = OFF"


class TickingSaver(SqliteSaver):
    world: World

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        self.world.tick()
        done = super().put(config, checkpoint, metadata, new_versions)
        self.world.tick()
        return done

    def put_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        self.world.tick()
        super().put_writes(config, writes, task_id, task_path)
        self.world.tick()


class AsyncTickingSaver(AsyncSqliteSaver):
    world: World

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        self.world.tick()
        done = await super().aput(config, checkpoint, metadata, new_versions)
        self.world.tick()
        return done

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        self.world.tick()
        await super().aput_writes(config, writes, task_id, task_path)
        self.world.tick()


def saver(path: Path, world: World) -> TickingSaver:
    connection = sqlite3.connect(path, check_same_thread=False)
    connection.execute(_QUICK)
    made = TickingSaver(connection)
    made.world = world
    return made


async def async_saver(path: Path, world: World) -> AsyncTickingSaver:
    connection = await aiosqlite.connect(path)
    await connection.execute(_QUICK)
    made = AsyncTickingSaver(connection)
    made.world = world
    return made
