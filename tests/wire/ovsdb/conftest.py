"""A private ovsdb-server, and a blocking shell around the session for talking to it."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

from overlace.wire.ovsdb.operations import Operation
from overlace.wire.ovsdb.replica import Selection
from overlace.wire.ovsdb.results import TransactReply
from overlace.wire.ovsdb.session import Closed, Event, OvsdbSession, Synchronized

E = TypeVar("E", bound=Event)
SCHEMA_FILE = "/usr/share/openvswitch/vswitch.ovsschema"
PATIENCE_SECONDS = 10.0


class BlockingClient:
    """Drives a session over a real Unix socket, one expected event after another."""

    def __init__(self, path: Path, selection: Selection) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(PATIENCE_SECONDS)
        self._socket.connect(str(path))
        self.session = OvsdbSession(selection, time.monotonic())
        self._events: list[Event] = []

    def close(self) -> None:
        self._socket.close()

    def expect(self, kind: type[E]) -> E:
        """The next event of this kind; events of other kinds before it stay for later calls."""
        while True:
            for index, event in enumerate(self._events):
                if isinstance(event, kind):
                    del self._events[index]
                    return event
                assert not isinstance(event, Closed), event.reason
            self._socket.sendall(self.session.data_to_send())
            data = self._socket.recv(1 << 16)
            assert data, "the server closed the connection"
            self._events += self.session.receive_data(data, time.monotonic())

    def transact(self, operations: Sequence[Operation]) -> TransactReply:
        request_id = self.session.transact(operations)
        reply = self.expect(TransactReply)
        assert reply.request_id == request_id
        return reply


class Database:
    """One running ovsdb-server; clients that a test opened are closed with it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._clients: list[BlockingClient] = []

    def connect(self, selection: Selection) -> BlockingClient:
        """A client that has synchronised."""
        client = self.connect_unsynchronized(selection)
        client.expect(Synchronized)
        return client

    def connect_unsynchronized(self, selection: Selection) -> BlockingClient:
        """A client that has only opened its socket."""
        client = BlockingClient(self.path, selection)
        self._clients.append(client)
        return client

    def close(self) -> None:
        for client in self._clients:
            client.close()


@pytest.fixture
def database() -> Iterator[Database]:
    """An empty Open_vSwitch database with its root row, served on a Unix socket in a directory of its own."""
    directory = Path(tempfile.mkdtemp(prefix="overlace-ovsdb-"))
    environment = os.environ | {"OVS_RUNDIR": str(directory), "OVS_LOGDIR": str(directory)}
    subprocess.run(["ovsdb-tool", "create", directory / "conf.db", SCHEMA_FILE], check=True, env=environment)
    path = directory / "db.sock"
    server = subprocess.Popen(
        ["ovsdb-server", directory / "conf.db", f"--remote=punix:{path}", "--no-chdir", "-vconsole:off"],
        env=environment,
    )
    running = Database(path)
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not path.exists() and server.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        initialise = ["ovs-vsctl", "--no-wait", f"--db=unix:{path}", "init"]
        subprocess.run(initialise, check=True, env=environment, timeout=PATIENCE_SECONDS)
        yield running
    finally:
        running.close()
        server.terminate()
        server.wait()
        shutil.rmtree(directory)
