"""OVN in a laboratory, beside Overlace on the same hosts: what is measured against.

The central part runs where Overlace's controller runs, ovn-controller on every host, with its own br-int and
tunnels (Geneve, if nothing else is said). `ovn-nbctl` is kept as a daemon and spoken to over its control socket, as a
fast client would, so that no start of a process is in the figures.
"""

import json
import os
import signal
from pathlib import Path
from typing import Any

from bench.control_socket import ControlSocket

from overlace.lab.lab import Lab
from overlace.lab.plan import Node

BRIDGE = "br-int"
_SOUTH_PORT = 6642
_SCHEMAS = Path("/usr/share/ovn")
_DEBIAN_PACKAGES = "ovn-central and ovn-host"


class Ovn:
    """The central daemons and those of the hosts; `lab.down` ends whatever `stop` did not."""

    def __init__(self, lab: Lab, encapsulation: str = "geneve") -> None:
        if not (_SCHEMAS / "ovn-nb.ovsschema").exists():
            raise SystemExit(f"OVN is not installed: apt-get install {_DEBIAN_PACKAGES}")
        self._lab = lab
        self._encapsulation = encapsulation
        self._directory = lab.directory / "ovn"
        self._client: ControlSocket | None = None

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
            self.start_controller(host)
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
            self._client = ControlSocket(self._directory / "nbctl.ctl")
        return self._client.run("run", *words)

    def permit_members(self, group: str, *into: str) -> None:
        """What a security group of connections says: a port group out to everybody, in from its members, and in
        where one of the conditions holds; nothing else."""
        inward = (f"ip4.src == ${group}_ip4", *into)
        rules = [("from-lport", "1002", f"inport == @{group} && ip4", "allow-related")]
        rules += [
            ("to-lport", "1002", f"outport == @{group} && ip4 && {each}", "allow-related") for each in inward
        ]
        rules += [("from-lport", "1001", f"inport == @{group} && ip", "drop")]
        rules += [("to-lport", "1001", f"outport == @{group} && ip", "drop")]
        for rule in rules:
            self.nbctl("acl-add", group, *rule)

    def add_absent_chassis(self, name: str, address: str) -> None:
        """A host of which only its record in the southbound database is there."""
        encap = {"type": "geneve", "ip": address, "chassis_name": name}
        told = {"port-up-notif": "true", "ovn-ct-lb-related": "true", "datapath-type": "netdev"}
        settings = ["map", [list(each) for each in told.items()]]
        row = {"name": name, "hostname": name, "encaps": ["named-uuid", "encap"], "other_config": settings}
        self._south(
            {"op": "insert", "table": "Encap", "uuid-name": "encap", "row": encap},
            {"op": "insert", "table": "Chassis", "row": row},
        )

    def absent_chassis(self) -> list[object]:
        """References to the rows that `add_absent_chassis` made."""
        query = {"op": "select", "table": "Chassis", "where": [], "columns": ["_uuid", "name"]}
        rows = self._south(query)[0]["rows"]
        return [row["_uuid"] for row in rows if row["name"].startswith("absent")]

    def bind(self, places: dict[str, object]) -> None:
        """Logical ports to chassis, as the chassis' ovn-controller would."""

        def update(port: str, chassis: object) -> dict[str, object]:
            row = {"chassis": chassis, "up": True}
            where = [["logical_port", "==", port]]
            return {"op": "update", "table": "Port_Binding", "where": where, "row": row}

        self._south(*(update(port, chassis) for port, chassis in places.items()))

    def places(self, port: str) -> tuple[str, frozenset[str]]:
        """The chassis that has claimed a port, and those that have claimed it besides, while it moves."""
        names = {
            str(row["_uuid"][1]): str(row["name"]) for row in self._select("Chassis", [], ["_uuid", "name"])
        }
        (row,) = self._select(
            "Port_Binding", [["logical_port", "==", port]], ["chassis", "additional_chassis"]
        )
        first, more = _references(row["chassis"]), _references(row["additional_chassis"])
        return names[first[0]] if first else "", frozenset(names[each] for each in more)

    def _select(self, table: str, where: list[object], columns: list[str]) -> list[Any]:
        rows: list[Any] = self._south({"op": "select", "table": table, "where": where, "columns": columns})[
            0
        ]["rows"]
        return rows

    def start_controller(self, host: Node) -> None:
        """ovn-controller on a host; it runs when this returns, and goes on in the background."""
        ids = {
            "ovn-remote": f"tcp:{self._lab.controller_address}:{_SOUTH_PORT}",
            "ovn-encap-type": self._encapsulation,
            "ovn-encap-ip": host.endpoints[0],
            "ovn-bridge-datapath-type": "netdev",
        }
        settings = [f"external-ids:{key}={json.dumps(value)}" for key, value in ids.items()]
        self._lab.host_run(host.name, ["ovs-vsctl", "set", "Open_vSwitch", ".", *settings])
        command = f"ovn-controller unix:{host.db_socket} --pidfile={host.rundir}/ovn-controller.pid"
        command += f" --log-file={host.directory}/log/ovn-controller.log --detach -vconsole:off"
        self._lab.host_run(host.name, command.split(), env={"OVN_RUNDIR": str(host.rundir)})

    def kill_controller(self, host: Node) -> None:
        """SIGKILL."""
        os.kill(int((host.rundir / "ovn-controller.pid").read_text()), signal.SIGKILL)

    def _south(self, *operations: object) -> list[Any]:
        transaction = json.dumps(["OVN_Southbound", *operations])
        command = ["ovsdb-client", "transact", f"unix:{self._directory}/sb.sock", transaction]
        answer: list[Any] = json.loads(self._lab.controller_run(command).stdout)
        if failed := [each for each in answer if "error" in (each or {})]:
            raise RuntimeError(f"OVN's southbound database refuses: {failed[0]}")
        return answer

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


def _references(value: Any) -> list[str]:
    """The rows that a column refers to, be it one reference or a set (RFC 7047, 5.1)."""
    return [value[1]] if value[0] == "uuid" else [each[1] for each in value[1]]
