"""One QEMU's monitor: commands, and what its events say of the guest and of its migration.

The state is asked once and kept up to date by events, so that to look at it costs nothing.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from qemu.qmp import ConnectError, ExecuteError, QMPClient, QMPError
from qemu.qmp.qmp_client import NegotiationError

from overlace.orchestration.migrator import MigrationFailed, Unreachable
from overlace.orchestration.sight import Guest, Transfer

CONNECT_TIMEOUT = 5.0
_NEGOTIATIONS = 5
ANSWER_TIMEOUT = 30.0
"""A monitor answers at once, unless its QEMU's main loop waits for a disk or a connection."""

logging.getLogger("qemu.qmp").setLevel(logging.CRITICAL)  # what it logs it also raises

_GUESTS = {
    "inmigrate": Guest.INCOMING,
    "running": Guest.RUNNING,
    "finish-migrate": Guest.STILL,
    "paused": Guest.STILL,
    "prelaunch": Guest.STILL,
    "postmigrate": Guest.HANDED_OVER,
}
_TRANSFERS = {
    "setup": Transfer.ACTIVE,
    "active": Transfer.ACTIVE,
    "pre-switchover": Transfer.READY,
    "device": Transfer.SWITCHING,
    "postcopy-active": Transfer.SWITCHING,
    "postcopy-paused": Transfer.SWITCHING,
    "completed": Transfer.COMPLETED,
    "failed": Transfer.FAILED,
    "cancelling": Transfer.ACTIVE,
    "cancelled": Transfer.FAILED,
}


class Monitor:
    """`heard` is called at every event."""

    def __init__(self, client: QMPClient, heard: Callable[[], None]) -> None:
        self._client = client
        self._heard = heard
        self.guest = Guest.UNKNOWN
        self.transfer = Transfer.NONE
        self.times: dict[str, float] = {}
        """When STOP and RESUME happened last, in seconds, by the host's clock."""
        self.differing: dict[str, tuple[int, int]] = {}
        """Of a quorum that failed: first sector and number of those that it could not agree on."""
        self.closed = False
        self._listening: asyncio.Task[None] | None = None

    @classmethod
    async def connect(cls, address: str, heard: Callable[[], None], tasks: asyncio.TaskGroup) -> "Monitor":
        """The monitor at a path or at address:port. Raises Unreachable."""
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                client = await session(_where(address))
        except (QMPError, OSError, TimeoutError, EOFError) as reason:
            raise Unreachable(f"the monitor {address} does not answer: {reason or 'too late'}") from None
        monitor = cls(client, heard)
        monitor._listening = tasks.create_task(monitor._listen(), name=f"monitor {address}")
        try:
            await monitor.refresh()
        except BaseException:
            await monitor.close()
            raise
        return monitor

    async def close(self) -> None:
        """Let go of it; its QEMU goes on."""
        self.closed = True
        if self._listening is not None:
            self._listening.cancel()
        with suppress(Exception):
            await self._client.disconnect()

    async def refresh(self) -> None:
        """Ask for what events tell later. Raises Unreachable."""
        self.transfer = _transfer(await self.execute("query-migrate"))
        self.guest = _guest(await self.execute("query-status"))

    async def execute(self, command: str, **arguments: Any) -> Any:
        """The answer; underscores in names of arguments stand for dashes.

        Raises MigrationFailed with QEMU's words, Unreachable when there is no answer.
        """
        given = {name.replace("_", "-"): value for name, value in arguments.items()}
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT):
                return await self._client.execute(command, given)
        except ExecuteError as reason:
            raise MigrationFailed(f"QEMU refuses {command}: {reason}") from None
        except (QMPError, OSError, EOFError, TimeoutError) as reason:
            self.closed = self.closed or not isinstance(reason, TimeoutError)
            self._heard()
            raise Unreachable(f"QEMU does not answer {command}: {reason or 'too late'}") from None

    async def _listen(self) -> None:
        with suppress(Exception):  # its end is what `closed` says
            async for event in self._client.events:
                self._note(dict(event))
                self._heard()
        self.closed = True
        self._heard()

    def _note(self, event: dict[str, Any]) -> None:
        match event.get("event"):
            case "STOP" | "RESUME" as name:
                stamp = event["timestamp"]
                self.times[name] = stamp["seconds"] + stamp["microseconds"] / 1e6
                self.guest = Guest.STILL if name == "STOP" else Guest.RUNNING
            case "MIGRATION":
                self.transfer = _TRANSFERS.get(event["data"]["status"], self.transfer)
                if self.transfer is Transfer.COMPLETED and self.guest is Guest.STILL:
                    self.guest = Guest.HANDED_OVER
            case "QUORUM_FAILURE":
                data = event["data"]
                self.differing[data["reference"]] = (data["sector-num"], data["sectors-count"])
            case "SHUTDOWN" | "GUEST_PANICKED":
                self.guest = Guest.BROKEN


async def session(where: str | tuple[str, int]) -> QMPClient:
    """A session with the monitor there. Raises QMPError, OSError or EOFError.

    QEMU may tell of an event before it has answered the negotiation that allows it to, and qemu.qmp takes the event for
    the answer: so a negotiation is begun anew some times.
    """
    tries = 0
    while True:
        tries += 1
        client = QMPClient("overlace")
        try:
            await client.connect(where)
            return client
        except BaseException as reason:
            with suppress(Exception):
                await client.disconnect()
            negotiating = isinstance(reason, ConnectError) and isinstance(reason.exc, NegotiationError)
            if not negotiating or tries == _NEGOTIATIONS:
                raise


def _where(address: str) -> str | tuple[str, int]:
    host, colon, port = address.rpartition(":")
    return (host.strip("[]"), int(port)) if colon and port.isdigit() else address.removeprefix("unix:")


def _guest(status: dict[str, Any]) -> Guest:
    return _GUESTS.get(status["status"], Guest.BROKEN)


def _transfer(answer: dict[str, Any]) -> Transfer:
    return _TRANSFERS.get(answer.get("status", "none"), Transfer.NONE)
