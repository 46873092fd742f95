"""OVN in a laboratory, beside Overlace on the same hosts: what is measured against.

The central part runs where Overlace's controller runs, ovn-controller on every host, with its own br-int and
Geneve tunnels. `ovn-nbctl` is kept as a daemon and spoken to over its control socket, as a fast client would,
so that no start of a process is in the figures.
"""

import json
import os
import signal
import socket
from pathlib import Path

from overlace.lab.lab import Lab
from overlace.lab.plan import Node

BRIDGE = "br-int"
_SOUTH_PORT = 6642
_SCHEMAS = Path("/usr/share/ovn")
_DEBIAN_PACKAGES = "ovn-central and ovn-host"


class Ovn:
    """The central daemons and those of the hosts; `lab.down` ends whatever `stop` did not."""

    def __init__(self, lab: Lab) -> None:
        if not (_SCHEMAS / "ovn-nb.ovsschema").exists():
            raise SystemExit(f"OVN is not installed: apt-get install {_DEBIAN_PACKAGES}")
        self._lab = lab
        self._directory = lab.directory / "ovn"
        self._client: socket.socket | None = None
        self._requests = 0

    def start(self, hosts: tuple[Node, ...]) -> None:
        """Start everything, and wait until all hosts have the first state."""
        self._directory.mkdir()
        for database in ("nb", "sb"):
            self._database(database)
        north, south = (f"unix:{self._directory}/{name}.sock" for name in ("nb", "sb"))
        self._central(f"ovn-nbctl --db={north} init")
        self._central(f"ovn-sbctl --db={south} init")
        self._central(f"ovn-northd --ovnnb-db={north} --ovnsb-db={south} {self._daemon('northd')}")
        self._central(f"ovn-nbctl --db={north} {self._daemon('nbctl')}")
        for host in hosts:
            self._controller(host)
        self.nbctl("--wait=hv", "sync")

    def stop(self) -> None:
        """End the daemons."""
        for pidfile in [
            *self._directory.glob("*.pid"),
            *self._lab.directory.glob("*/run/ovn-controller.pid"),
        ]:
            try:
                os.kill(int(pidfile.read_text()), signal.SIGKILL)
            except ProcessLookupError:
                continue

    def nbctl(self, *words: str) -> str:
        """One ovn-nbctl command in the running daemon. Raises RuntimeError with what it says."""
        if self._client is None:
            self._client = socket.socket(socket.AF_UNIX)
            self._client.connect(str(self._directory / "nbctl.ctl"))
        self._requests += 1
        request = {"id": self._requests, "method": "run", "params": list(words)}
        self._client.sendall(json.dumps(request).encode())
        answer = _read_json(self._client)
        if answer.get("error"):
            raise RuntimeError(f"ovn-nbctl {' '.join(words)}: {answer['error']}")
        return str(answer["result"])

    def _database(self, name: str) -> None:
        path = self._directory / f"{name}.db"
        self._central(f"ovsdb-tool create {path} {_SCHEMAS}/ovn-{name}.ovsschema")
        remotes = f"--remote=punix:{self._directory}/{name}.sock"
        if name == "sb":
            remotes += f" --remote=ptcp:{_SOUTH_PORT}:{self._lab.controller_address}"
        self._central(f"ovsdb-server {path} {remotes} {self._daemon(name)}")

    def _daemon(self, name: str) -> str:
        base = f"{self._directory}/{name}"
        return f"--unixctl={base}.ctl --pidfile={base}.pid --log-file={base}.log --detach -vconsole:off"

    def _central(self, command: str) -> None:
        self._lab.controller_run(command.split(), env={"OVN_RUNDIR": str(self._directory)})

    def _controller(self, host: Node) -> None:
        ids = {
            "ovn-remote": f"tcp:{self._lab.controller_address}:{_SOUTH_PORT}",
            "ovn-encap-type": "geneve",
            "ovn-encap-ip": host.endpoints[0],
            "ovn-bridge-datapath-type": "netdev",
        }
        settings = [f"external-ids:{key}={json.dumps(value)}" for key, value in ids.items()]
        self._lab.host_run(host.name, ["ovs-vsctl", "set", "Open_vSwitch", ".", *settings])
        command = f"ovn-controller unix:{host.db_socket} --pidfile={host.rundir}/ovn-controller.pid"
        command += f" --log-file={host.directory}/log/ovn-controller.log --detach -vconsole:off"
        self._lab.host_run(host.name, command.split(), env={"OVN_RUNDIR": str(host.rundir)})


def _read_json(connection: socket.socket) -> dict[str, object]:
    received = b""
    while True:
        data = connection.recv(1 << 16)
        if not data:
            raise RuntimeError("ovn-nbctl has ended")
        received += data
        try:
            answer: dict[str, object] = json.loads(received)
        except ValueError:
            continue
        return answer
