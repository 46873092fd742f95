"""The OVSDB side of simulated hosts: hundreds of databases in a process of their own, driven over its standard input.

    python -m bench.simulated_databases PORT

Commands are JSON lines, each answered by a line: ``["connect", FIRST, COUNT, BRIDGE]`` lets hosts connect, one after
another, from addresses of their own; ``["plug", [[HOST, INTERFACE, IFACE_ID, OFPORT], ...]]`` lets interfaces appear;
``["ready"]`` tells how many a controller follows.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvloop
from bench.simulated_database import SimulatedDatabase, load_schema
from bench.simulated_switches import address, datapath_id

_RETRY = 0.5
_TOGETHER = 20


class Databases:
    """Inside the process."""

    def __init__(self, port: int, tasks: asyncio.TaskGroup) -> None:
        self._port = port
        self._tasks = tasks
        self._schema = load_schema()
        self._databases: dict[int, SimulatedDatabase] = {}

    async def do(self, command: list[Any]) -> object:
        """One command, and its answer."""
        match command:
            case ["connect", first, count, bridge]:
                for number in range(first, first + count):
                    own = SimulatedDatabase(f"sim{number}", bridge, datapath_id(number), self._schema)
                    self._databases[number] = own
                    self._tasks.create_task(self._keep(number, own))
                    if number % _TOGETHER == 0:
                        await asyncio.sleep(0.01)
                return "done"
            case ["plug", interfaces]:
                for number, name, iface_id, ofport in interfaces:
                    self._databases[number].plug(name, iface_id, ofport)
                return "done"
            case ["ready"]:
                return sum(each.monitored for each in self._databases.values())
            case _:
                raise ValueError(f"unknown command: {command}")

    async def _keep(self, number: int, database: SimulatedDatabase) -> None:
        """Connected, and again when the controller is gone."""
        while True:
            if not database.connected:
                try:
                    await database.connect("127.0.0.1", self._port, (address(number), 0))
                except OSError:
                    pass
            await asyncio.sleep(_RETRY)


class SimulatedDatabases:
    """The process, from outside."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def connect(self, first: int, count: int, bridge: str) -> None:
        """Hosts FIRST and those after it, with this bridge."""
        self._ask("connect", first, count, bridge)

    def plug(self, interfaces: list[tuple[int, str, str, int]]) -> None:
        """Interfaces appear: host, name, ``iface-id`` and OpenFlow port of each."""
        self._ask("plug", interfaces)

    def ready(self) -> int:
        """How many a controller follows."""
        answer = self._ask("ready")
        assert isinstance(answer, int)
        return answer

    def _ask(self, *command: object) -> object:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the simulated databases have ended")
        return json.loads(line)


@contextmanager
def simulated_databases(port: int) -> Iterator[SimulatedDatabases]:
    """Run the process; it ends with the block. `port` is where the controller serves OVSDB."""
    command = [sys.executable, "-m", "bench.simulated_databases", str(port)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield SimulatedDatabases(process)
    finally:
        process.kill()
        process.wait()


async def serve(port: int) -> None:
    """Until standard input ends."""
    commands = asyncio.StreamReader(limit=1 << 26)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    async with asyncio.TaskGroup() as tasks:
        databases = Databases(port, tasks)
        while line := await commands.readline():
            print(json.dumps(await databases.do(json.loads(line))), flush=True)


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
