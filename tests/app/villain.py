"""A host that was admitted and is not what it was: true answers of its own switch, changed on their way.

Between the host's Open vSwitch (its local sockets) and the controller (TLS, with the host's own certificate) stands
a relay that hands everything on, until an attack decides what the controller hears instead.
"""

import asyncio
import json
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from overlace.lab.lab import Lab
from overlace.lab.namespace import entered

Attack = Callable[[int, bytes], Iterable[bytes]]
"""What the controller hears instead of the host's message of this number (from 0)."""
Framing = Callable[[bytearray], Iterator[bytes]]
"""Takes whole messages from the bytes so far."""

PATIENCE = 3.0
"""Seconds after which a meeting ends in any case."""
AFTERMATH = 0.15
"""Seconds without another word from the host's own switch after which everything is said."""


def openflow_messages(heard: bytearray) -> Iterator[bytes]:
    """By the length in each header."""
    while len(heard) >= 8 and len(heard) >= (length := int.from_bytes(heard[2:4], "big")):
        yield bytes(heard[:length])
        del heard[:length]


def json_messages(heard: bytearray) -> Iterator[bytes]:
    """One JSON value after another."""
    decoder = json.JSONDecoder()
    text = heard.decode()
    while text:
        try:
            _, end = decoder.raw_decode(text)
        except ValueError:
            break
        yield text[:end].encode()
        text = text[end:].lstrip()
    heard[:] = text.encode()


def honest(_: int, message: bytes) -> Iterable[bytes]:
    """Everything as it is."""
    return [message]


class Villain:
    """One host of the laboratory, cut off from the controller but for what the relay says in its name."""

    def __init__(self, lab: Lab, host: str, bridge: str) -> None:
        self._lab = lab
        self._host = host
        self._bridge = bridge
        self._namespace = lab.node(host).namespace
        shown = lab.host_run(host, ["ovs-vsctl", "get-ssl"]).stdout
        files = dict(line.split(": ", 1) for line in shown.splitlines() if ": " in line)
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._tls.check_hostname = False
        self._tls.load_verify_locations(files["CA Certificate"])
        self._tls.load_cert_chain(files["Certificate"], files["Private key"])
        self._targets = {
            "manager": lab.host_run(host, ["ovs-vsctl", "get-manager"]).stdout.split(),
            "controller": lab.host_run(host, ["ovs-vsctl", "get-controller", bridge]).stdout.split(),
        }

    def fall(self) -> None:
        """The host's own switch speaks to nobody from now on."""
        self._vsctl("del-manager", "--", "del-controller", self._bridge)

    def repent(self) -> None:
        """The host's own switch speaks to the controller again."""
        self._vsctl("set-manager", *self._targets["manager"])
        self._vsctl("set-controller", self._bridge, *self._targets["controller"])

    async def openflow(self, port: int, attack: Attack, patience: float = PATIENCE) -> int:
        """One OpenFlow connection; gives the number of the host's messages."""
        socket_file = self._lab.node(self._host).rundir / f"{self._bridge}.mgmt"
        return await self._meet(port, socket_file, openflow_messages, attack, patience)

    async def ovsdb(self, port: int, attack: Attack, patience: float = PATIENCE) -> int:
        """One OVSDB connection, as `openflow`."""
        socket_file = self._lab.node(self._host).rundir / "db.sock"
        return await self._meet(port, socket_file, json_messages, attack, patience)

    async def stay_honest(self, port: int) -> None:
        """An OVSDB connection that is as it should be, until it is cancelled."""
        socket_file = self._lab.node(self._host).rundir / "db.sock"
        await self._meet(port, socket_file, json_messages, honest, None)

    async def _meet(
        self, port: int, local: Path, framing: Framing, attack: Attack, patience: float | None
    ) -> int:
        with entered(self._namespace):
            connected = socket.create_connection((self._lab.controller_address, port), timeout=5)
        controller = await asyncio.open_connection(sock=connected, ssl=self._tls, server_hostname="")
        switch = await asyncio.open_unix_connection(str(local))
        said = [0]
        lasts = None if patience is None else AFTERMATH
        try:
            async with asyncio.timeout(patience), asyncio.TaskGroup() as tasks:
                there = tasks.create_task(_relay(controller[0], switch[1]))
                tasks.create_task(_change(switch[0], controller[1], framing, attack, said, there, lasts))
        except* (OSError, TimeoutError):
            pass  # to be cut off is what it may expect
        finally:
            for _, writer in (controller, switch):
                writer.close()
                with suppress(OSError, TimeoutError):
                    async with asyncio.timeout(1):
                        await writer.wait_closed()
        return said[0]

    def _vsctl(self, *words: str) -> "subprocess.CompletedProcess[str] | object":
        return self._lab.host_run(self._host, ["ovs-vsctl", "--timeout=10", *words])


async def _relay(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(65536):
        target.write(data)
        await target.drain()


async def _change(
    source: asyncio.StreamReader,
    target: asyncio.StreamWriter,
    framing: Framing,
    attack: Attack,
    said: list[int],
    other: "asyncio.Task[None]",
    lasts: float | None,
) -> None:
    """Until the controller has closed, or the host's own switch has nothing more to say."""
    heard = bytearray()
    while not other.done():
        try:
            async with asyncio.timeout(lasts):
                data = await source.read(65536)
        except TimeoutError:
            break
        if not data:
            break
        heard += data
        for message in framing(heard):
            for piece in attack(said[0], message):
                target.write(piece)
                await target.drain()
            said[0] += 1
    other.cancel()
