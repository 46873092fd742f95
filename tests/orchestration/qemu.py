"""Real QEMUs without an operating system: a boot sector counts in memory for ever, and writes to a hundred pages."""

import asyncio
import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from overlace.orchestration.launcher import Place
from overlace.orchestration.migrator import MigrationFailed
from overlace.orchestration.qmp.monitor import Monitor

_LOOPBACK = f"127.0.{os.environ.get('PYTEST_XDIST_WORKER', 'gw0').removeprefix('gw')}"
"""Tests that run beside these use the same ports, at addresses of their own."""
COUNTER = 0x20000
_BOOT = bytes.fromhex(
    "b80020 8ec0"  # again: es = 0x2000
    "26ff060000"  # count at 0x20000
    "31ff"  # next: di = 0
    "26ff4510"  # page: touch one word of the page
    "81c70010"  # di += 4096
    "75f6"  # until the segment is done
    "8cc0 050010 8ec0"  # es += 0x1000
    "3d0080 72e8"  # below 0x8000: next
    "ebdc"  # again
)
"""Real mode, since nothing else runs here."""
SIZE = "size=32776K"
"""No multiple of 256 KiB: QEMU 7.2 without hardware virtualisation loses dirty pages of such."""


@dataclass
class Guests:
    """See `orchestration.launcher.Launcher`: on each host a directory and a loopback address of its own."""

    directory: Path
    disk: int = 0
    """Its size in bytes, 0 for none."""
    second: int = 0
    """The size of another, raw one."""
    golden: Path | None = None
    """What the disk stands on at every host, as a layer of its own; None for a raw disk."""
    processes: dict[tuple[str, str], asyncio.subprocess.Process] = field(default_factory=dict)
    keepers: dict[tuple[str, str], asyncio.subprocess.Process] = field(default_factory=dict)
    refuse: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        (self.directory / "boot.img").write_bytes(
            _BOOT.ljust(510, b"\0") + b"\x55\xaa" + bytes((1 << 20) - 512)
        )

    def path(self, machine: str, host: str, name: str) -> Path:
        directory = self.directory / host / machine
        directory.mkdir(parents=True, exist_ok=True)
        return directory / name

    def place(self, machine: str, host: str) -> Place:
        disks = ("disk0",) * bool(self.disk) + ("disk1",) * bool(self.second)
        return Place(str(self.path(machine, host, "qmp")), f"{_LOOPBACK}.{host.removeprefix('h')}", disks)

    async def find(self, machine: str, host: str) -> Place | None:
        process = self.processes.get((machine, host))
        return self.place(machine, host) if process is not None and process.returncode is None else None

    async def receive(self, machine: str, host: str) -> Place:
        if "receive" in self.refuse:
            raise MigrationFailed(f"no room at {host}")
        return await self._begin(machine, host, "-incoming", "defer")

    async def start(self, machine: str, host: str) -> Place:
        return await self._begin(machine, host)

    async def hold(self, machine: str, host: str) -> Place:
        place = self.place(machine, host)
        held = Place(str(self.path(machine, host, "keeper")), place.address, place.disks)
        if (machine, host) not in self.keepers:
            command = ["qemu-system-x86_64", "-machine", "none", "-nodefaults", "-display", "none", "-S"]
            command += ["-qmp", f"unix:{held.monitor},server=on,wait=off", *self._disk(machine, host)]
            self.keepers[machine, host] = await self._run(machine, host, command, Path(held.monitor))
        return held

    async def let_go(self, machine: str, host: str) -> None:
        """Who holds its disks there ends; the files stay."""
        keeper = self.keepers.pop((machine, host), None)
        if keeper is not None:
            keeper.kill()
            await keeper.wait()

    async def remove(self, machine: str, host: str) -> None:
        await self.let_go(machine, host)
        process = self.processes.pop((machine, host), None)
        if process is not None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        shutil.rmtree(self.path(machine, host, "."))

    async def remove_machine(self, machine: str, host: str) -> None:
        """As a host's fault does: its files stay."""
        process = self.processes.pop((machine, host))
        process.kill()
        await process.wait()

    async def remove_all(self) -> None:
        for machine, host in [*self.processes, *self.keepers]:
            await self.remove(machine, host)

    async def count(self, machine: str, host: str, tasks: asyncio.TaskGroup) -> int:
        """What the guest has counted to: nobody else may use its monitor meanwhile."""
        monitor = await Monitor.connect(self.place(machine, host).monitor, lambda: None, tasks)
        try:
            text = await monitor.execute("human-monitor-command", command_line=f"xp /1xh {COUNTER:#x}")
        finally:
            await monitor.close()
        found = re.search(r": (0x[0-9a-f]+)", text)
        assert found is not None, text
        return int(found[1], 16)

    async def _begin(self, machine: str, host: str, *more: str) -> Place:
        if (machine, host) not in self.processes:
            await self.let_go(machine, host)
            command = [*self._command(machine, host), *more]
            socket = self.path(machine, host, "qmp")
            self.processes[machine, host] = await self._run(machine, host, command, socket)
        return self.place(machine, host)

    async def _run(
        self, machine: str, host: str, command: list[str], socket: Path
    ) -> asyncio.subprocess.Process:
        errors = self.path(machine, host, "errors").open("ab")
        socket.unlink(missing_ok=True)
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=errors, stderr=errors
        )
        async with asyncio.timeout(30):
            while not await _listens(socket):  # noqa: ASYNC110 - QEMU tells in no other way
                await asyncio.sleep(0.01)
        return process

    def _command(self, machine: str, host: str) -> list[str]:
        boot = f"driver=raw,node-name=boot0,read-only=on,file.driver=file,file.filename={self.directory}/boot.img"
        command = ["qemu-system-x86_64", "-accel", "tcg,tb-size=32", "-machine", "pc-i440fx-7.2", "-m", SIZE]
        command += ["-nodefaults", "-no-user-config", "-display", "none"]
        command += ["-qmp", f"unix:{self.path(machine, host, 'qmp')},server=on,wait=off"]
        command += ["-qmp", f"unix:{self.path(machine, host, 'beside')},server=on,wait=off"]
        command += ["-blockdev", boot, "-device", "virtio-blk-pci,drive=boot0,bootindex=0"]
        if self.disk:
            command += [*self._disk(machine, host), "-device", "virtio-blk-pci,drive=disk0,id=vd0"]
        if self.second:
            path = self.path(machine, host, "second.img")
            if not path.exists():
                path.touch()
                os.truncate(path, self.second)
            node = f"driver=raw,node-name=disk1,file.driver=file,file.filename={path}"
            command += ["-blockdev", node, "-device", "virtio-blk-pci,drive=disk1,id=vd1"]
        return command

    def _disk(self, machine: str, host: str) -> list[str]:
        path = self.path(machine, host, "disk.img")
        if not path.exists():
            self._make_disk(path)
        kind = "raw" if self.golden is None else "qcow2"
        file = f"file.driver=file,file.discard=unmap,file.filename={path}"
        return ["-blockdev", f"driver={kind},node-name=disk0,discard=unmap,{file}"]

    def _make_disk(self, path: Path) -> None:
        if self.golden is not None:
            backing = ["-b", str(self.golden), "-F", "raw"]
            subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *backing, str(path)], check=True)
            return
        with path.open("wb") as file:
            file.truncate(self.disk)


async def _listens(socket: Path) -> bool:
    try:
        _, writer = await asyncio.open_unix_connection(socket)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


@asynccontextmanager
async def guests(
    directory: Path, disk: int = 0, golden: Path | None = None, second: int = 0
) -> AsyncIterator[Guests]:
    """None are left afterwards."""
    found = Guests(directory, disk, second, golden)
    try:
        yield found
    finally:
        await found.remove_all()
