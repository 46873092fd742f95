"""A private ovs-vswitchd with one userspace bridge, spoken to over its management socket by our own session."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from overlace.wire.openflow.messages import Message
from overlace.wire.openflow.session import MessageReceived, Ready, Session

BRIDGE = "br0"


class PrivateSwitch:
    """Daemons of its own in `directory`; `ask` sends messages and gives all that comes back."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        names = ("OVS_RUNDIR", "OVS_DBDIR", "OVS_LOGDIR", "OVS_SYSCONFDIR")
        self.environment = dict(os.environ) | {name: str(directory) for name in names}
        self.environment["PATH"] += ":/usr/sbin:/sbin"
        self._socket: socket.socket | None = None

    def start(self) -> None:
        directory = self.directory
        self.run("ovsdb-tool", "create", f"{directory}/conf.db", "/usr/share/openvswitch/vswitch.ovsschema")
        detach = ["--pidfile", "--detach", "--no-chdir", f"--log-file={directory}/log", "-vconsole:off"]
        self.run("ovsdb-server", f"{directory}/conf.db", f"--remote=punix:{directory}/db.sock", *detach)
        self.run("ovs-vsctl", "--no-wait", "init")
        self.run("ovs-vswitchd", f"unix:{directory}/db.sock", *detach)
        settings = ["datapath_type=netdev", "fail-mode=secure", "protocols=OpenFlow15"]
        self.run("ovs-vsctl", "add-br", BRIDGE, "--", "set", "bridge", BRIDGE, *settings)

    def stop(self) -> None:
        if self._socket is not None:
            self._socket.close()
        for daemon in ("ovs-vswitchd", "ovsdb-server"):
            pidfile = self.directory / f"{daemon}.pid"
            if pidfile.exists():
                pid = int(pidfile.read_text())
                os.kill(pid, signal.SIGTERM)
                while Path(f"/proc/{pid}").exists():
                    time.sleep(0.01)

    def run(self, *argv: str, stdin: str = "") -> str:
        done = subprocess.run(
            argv, env=self.environment, input=stdin, capture_output=True, text=True, timeout=30, check=False
        )
        assert done.returncode == 0, f"{argv}: {done.stderr}"
        return done.stdout

    def ask(self, *messages: Message, until: type, count: int = 1) -> list[tuple[int, Message]]:
        """Send on a fresh connection, and read until `count` messages of the type `until` have come."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(f"{self.directory}/{BRIDGE}.mgmt")
            connection.settimeout(10)
            session = Session(0.0)
            received: list[tuple[int, Message]] = []
            ready = False
            while sum(isinstance(message, until) for _, message in received) < count:
                connection.sendall(session.data_to_send())
                for event in session.receive(connection.recv(1 << 20), 0.0):
                    if isinstance(event, Ready) and not ready:
                        ready = True
                        for message in messages:
                            session.send(message)
                        connection.sendall(session.data_to_send())
                    elif isinstance(event, MessageReceived):
                        received.append((event.xid, event.message))
            return received
