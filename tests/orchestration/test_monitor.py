"""A monitor's session, with a QEMU that is only its first words."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from qemu.qmp import ConnectError

from overlace.orchestration.qmp.monitor import session

GREETING = {"QMP": {"version": {"qemu": {"major": 7, "minor": 2, "micro": 0}}, "capabilities": []}}
EVENT = {"event": "JOB_STATUS_CHANGE", "data": {}, "timestamp": {"seconds": 0, "microseconds": 0}}
DONE: Mapping[str, Any] = {"return": {}}


@asynccontextmanager
async def answering(path: Path, *talks: Iterable[Mapping[str, Any]]) -> AsyncIterator[list[int]]:
    """To each connection in turn: what it says once it was asked for its capabilities."""
    connections: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = talks[min(len(connections), len(talks) - 1)]
        connections.append(len(connections))
        writer.write(json.dumps(GREETING).encode() + b"\r\n")
        asked = json.loads(await reader.read(4096))
        for each in talk:
            answer = {**each, "id": asked["id"]} if each == DONE and "id" in asked else each
            writer.write(json.dumps(answer).encode() + b"\r\n")
        await reader.read()
        writer.close()

    server = await asyncio.start_unix_server(serve, path)
    async with server:
        yield connections


async def test_an_event_before_the_answer_is_no_end_of_the_session(tmp_path: Path) -> None:
    async with answering(tmp_path / "qmp", [EVENT, DONE], [EVENT, DONE], [DONE]) as connections:
        client = await session(str(tmp_path / "qmp"))
        await client.disconnect()
    assert len(connections) == 3


async def test_who_never_negotiates_is_left_after_some_tries(tmp_path: Path) -> None:
    async with answering(tmp_path / "qmp", [EVENT, DONE]) as connections:
        with pytest.raises(ConnectError, match="establish session"):
            await session(str(tmp_path / "qmp"))
    assert len(connections) == 5
