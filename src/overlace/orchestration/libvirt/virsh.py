"""libvirt's command line, one hypervisor each: commands, and the events of its domains.

A program of its own, since libvirt's library has threads and an event loop of its own; and its words are as stable as
its calls are.
"""

import asyncio
import re
import shutil
from collections.abc import Callable
from datetime import datetime

from overlace.orchestration import command
from overlace.orchestration.migrator import MigrationFailed, Unreachable
from overlace.orchestration.sight import Guest

ANSWER_TIMEOUT = 30.0
_AWAY = (
    "failed to connect to the hypervisor",
    "unable to connect to server",
    "cannot recv data",
    "end of file while reading data",
    "client socket is closed",
)
_NO_DOMAIN = ("failed to get domain", "domain not found")
_EVENT = re.compile(r"(?P<at>\S+ \S+): event 'lifecycle' for domain '(?P<domain>[^']*)': (?P<what>\w+)")
_AMOUNT = re.compile(r"([\d.]+)\s+(\w+)")
_UNITS = {"B": 1, "bytes": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
_STATES = {
    "running (post-copy": Guest.RUNNING,
    "running": Guest.RUNNING,
    "paused (starting up": Guest.INCOMING,
    "paused (migrating": Guest.STILL,
    "paused (post-copy": Guest.STILL,
    "paused": Guest.STILL,
    "shut off (migrated": Guest.HANDED_OVER,
    "in shutdown": Guest.BROKEN,
    "crashed": Guest.BROKEN,
    "shut off": Guest.BROKEN,
}


class Virsh:
    """One libvirt, by its URI."""

    def __init__(self, uri: str) -> None:
        self.uri = uri

    async def ask(self, *words: str, timeout: float | None = ANSWER_TIMEOUT) -> str:
        """What it prints. Raises MigrationFailed with its words, Unreachable when libvirt does not answer."""
        process = await self.begin(*words)
        try:
            out, err = await command.answer(process, timeout)
        except TimeoutError:
            raise Unreachable(f"libvirt at {self.uri} does not answer `{words[0]}`") from None
        if process.returncode:
            raise failure(self.uri, words[0], err)
        return out

    async def begin(self, *words: str) -> asyncio.subprocess.Process:
        """Start virsh. Raises MigrationFailed when there is none."""
        program = shutil.which("virsh")
        if program is None:
            raise MigrationFailed("there is no `virsh` here: install the package libvirt-clients")
        return await command.start(program, "-q", "-c", self.uri, *words)

    async def state(self, domain: str) -> Guest:
        """How a domain is. Raises Unreachable."""
        try:
            return guest_state(await self.ask("domstate", "--reason", domain))
        except Unreachable:
            raise
        except MigrationFailed as reason:
            if any(words in str(reason).lower() for words in _NO_DOMAIN):
                return Guest.ABSENT
            raise

    async def listen(self, domain: str, heard: Callable[[str, float], None]) -> None:
        """Tell of the domain's events, Suspended, Resumed and so on, and when (epoch seconds); until libvirt ends."""
        process = await self.begin("event", "--event", "lifecycle", "--loop", "--timestamp")
        try:
            assert process.stdout is not None
            async for line in process.stdout:
                found = _EVENT.match(line.decode(errors="replace"))
                if found is not None and found["domain"] == domain:
                    heard(found["what"], _seconds(found["at"]))
        finally:
            await command.end(process)


def failure(uri: str, what: str, told: str) -> MigrationFailed:
    """What virsh has said on standard error, as an exception."""
    lines = [line.removeprefix("error: ").strip() for line in told.strip().splitlines()]
    words = "; ".join(line for line in lines if line) or "no reason given"
    if any(sign in words.lower() for sign in _AWAY):
        return Unreachable(f"libvirt at {uri} does not answer: {words[:300]}")
    return MigrationFailed(f"libvirt refuses {what}: {words[:300]}")


def guest_state(told: str) -> Guest:
    """What `domstate --reason` means."""
    return next((state for words, state in _STATES.items() if told.strip().startswith(words)), Guest.BROKEN)


def job(told: str) -> dict[str, str]:
    """`domjobinfo` by its names; empty where there is no job."""
    pairs = (line.partition(":") for line in told.splitlines() if ":" in line)
    found = {name.strip(): value.strip() for name, _, value in pairs}
    return {} if found.get("Job type", "None") == "None" else found


def amount(told: str) -> int:
    """Bytes of words like `67.166 MiB`."""
    found = _AMOUNT.match(told)
    return 0 if found is None else round(float(found[1]) * _UNITS.get(found[2].removesuffix("/s"), 1))


def _seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()
