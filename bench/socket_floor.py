"""What the sockets alone cost: a sender with nothing else to do, in the controller's place.

    python -m bench.socket_floor PORT SWITCHES

It serves OpenFlow at PORT for so many switches. Each line on its standard input is a message in hexadecimal that ends
with a barrier request; the same bytes go to every switch, and when all have answered it writes the times (seconds of
time.monotonic()) of the first byte's sending and of the last answer's arrival. An empty line is answered when all
switches are there.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import uvloop
from bench.controller_process import LOOPBACK

from overlace.wire.openflow.codec import OFP_VERSION, encode
from overlace.wire.openflow.messages import Hello

_BARRIER_REPLY = 21


class _Switch(asyncio.Protocol):
    """One connection: says hello, and counts barriers."""

    def __init__(self, sender: "Sender") -> None:
        self._sender = sender
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: a switch has connected."""
        connection = cast("asyncio.Transport", transport)
        connection.write(encode(Hello((OFP_VERSION,)), 1))
        self._sender.connected(connection)

    def data_received(self, data: bytes) -> None:
        """asyncio: look for the answer to the barrier, skip everything else."""
        self._buffer += data
        while len(self._buffer) >= 8 and len(self._buffer) >= (
            length := int.from_bytes(self._buffer[2:4], "big")
        ):
            if self._buffer[1] == _BARRIER_REPLY:
                self._sender.answered()
            del self._buffer[:length]


class Sender:
    """All connections; one message to all at a time."""

    def __init__(self, expected: int) -> None:
        self.switches: list[asyncio.Transport] = []
        self.complete = asyncio.Event()
        """Set when so many switches as are expected are there."""
        self._expected = expected
        self._awaited = 0
        self._done = asyncio.Event()

    async def send(self, data: bytes) -> tuple[float, float]:
        """To every switch; begin and end in seconds."""
        self._awaited = len(self.switches)
        self._done.clear()
        began = time.monotonic()
        for switch in self.switches:
            switch.write(data)
        await self._done.wait()
        return began, time.monotonic()

    def connected(self, switch: asyncio.Transport) -> None:
        """One more switch is there."""
        self.switches.append(switch)
        if len(self.switches) == self._expected:
            self.complete.set()

    def answered(self) -> None:
        """One switch has done it."""
        self._awaited -= 1
        if not self._awaited:
            self._done.set()


class SocketFloor:
    """The process, from outside."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ready(self) -> None:
        """Wait until all switches are there."""
        self._ask("")

    def send(self, message: bytes) -> tuple[float, float]:
        """When its sending began, and when the last answer was there: seconds of time.monotonic()."""
        began, ended = json.loads(self._ask(message.hex()))
        return began, ended

    def _ask(self, line: str) -> str:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        if not (answer := self._process.stdout.readline()):
            raise RuntimeError("the sender has ended")
        return answer


@contextmanager
def socket_floor(port: int, switches: int) -> Iterator[SocketFloor]:
    """Run the sender; it ends with the block."""
    command = [sys.executable, "-m", "bench.socket_floor", str(port), str(switches)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield SocketFloor(process)
    finally:
        process.kill()
        process.wait()


async def serve(port: int, switches: int) -> None:
    """Until standard input ends."""
    sender = Sender(switches)
    loop = asyncio.get_running_loop()
    await loop.create_server(lambda: _Switch(sender), LOOPBACK, port, backlog=switches)
    commands = asyncio.StreamReader(limit=1 << 22)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while line := await commands.readline():
        await sender.complete.wait()
        message = bytes.fromhex(line.decode())
        print(json.dumps(await sender.send(message) if message else "ready"), flush=True)


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), int(sys.argv[2])))
