"""A private Open vSwitch inside a node's namespace.

The database is filled before ovs-vswitchd starts, so that the daemon configures everything in one go; with
--detach it returns when that first configuration is complete.  The monitor restarts a crashed ovs-vswitchd.
"""

import shutil
from pathlib import Path

from overlace.lab.errors import LabError
from overlace.lab.execution import ip_batch, run
from overlace.lab.namespace import entered, write_sysctls
from overlace.lab.plan import Node, link_interface
from overlace.lab.process import ProcessId, identify, read_pidfile
from overlace.lab.topology import Topology

SCHEMA = Path("/usr/share/openvswitch/vswitch.ovsschema")
TRANSMIT_QUEUE = 20_000
"""Frames that may wait in a bridge's interface, which is a tap. TCP does not see that it is full: with the usual 1,000,
one frame in thirty of a bulk transfer over a long way is lost."""


def create_database(path: Path) -> None:
    """Make an empty database, to be copied for each node.  Raises `CommandFailed` or `LabError`."""
    if not SCHEMA.is_file():
        raise LabError(f"{SCHEMA} is missing: install the package openvswitch-switch")
    run(["ovsdb-tool", "create", str(path), str(SCHEMA)])


def start_switch(node: Node, topology: Topology, database: Path) -> tuple[ProcessId, ...]:
    """Start the node's Open vSwitch with its bridge; returns the daemons' identities."""
    for part in ("run", "db", "log", "etc/openvswitch"):
        (node.directory / part).mkdir(parents=True, exist_ok=True)
    private = node.directory / "db" / "conf.db"
    shutil.copyfile(database, private)
    daemon = ["--pidfile", "--detach", "--no-chdir", "-vconsole:off"]
    run(
        [
            "ovsdb-server",
            str(private),
            f"--remote=punix:{node.db_socket}",
            "--remote=db:Open_vSwitch,Open_vSwitch,manager_options",
            # As ovs-ctl(8) starts it on Debian: TLS is configured in the database.
            "--private-key=db:Open_vSwitch,SSL,private_key",
            "--certificate=db:Open_vSwitch,SSL,certificate",
            "--bootstrap-ca-cert=db:Open_vSwitch,SSL,ca_cert",
            f"--log-file={node.directory / 'log' / 'ovsdb-server.log'}",
            *daemon,
        ],
        netns=node.namespace,
        env=node.environment,
    )
    run(
        ["ovs-vsctl", "--no-wait", f"--db=unix:{node.db_socket}", *_configuration(node, topology)],
        netns=node.namespace,
        env=node.environment,
    )
    run(
        [
            "ovs-vswitchd",
            f"unix:{node.db_socket}",
            "--monitor",
            f"--log-file={node.directory / 'log' / 'ovs-vswitchd.log'}",
            *daemon,
        ],
        netns=node.namespace,
        env=node.environment,
    )
    if not node.transit:
        _address_underlay(node)
    return _daemons(node)


def _configuration(node: Node, topology: Topology) -> list[str]:
    identity = [f"external_ids:system-id={node.name}", f"external_ids:hostname={node.name}"]
    bridge = node.own_bridge
    arguments = ["init", "--", "set", "Open_vSwitch", ".", *identity]
    arguments += ["--", "add-br", bridge, "--", "set", "Bridge", bridge, "datapath_type=netdev"]
    arguments += [f"other-config:hwaddr={node.hwaddr}"]
    if node.transit:
        # Without disable-in-band, hidden rules for the controller's traffic bypass every flow of the switch.
        arguments += ["fail-mode=secure", "other-config:disable-in-band=true"]
        ports = [link_interface(link, node.name) for link in topology.links_of(node.name)]
    else:
        arguments += ["fail-mode=standalone"]
        ports = ["eth0"]
    for port in ports:
        arguments += ["--", "add-port", bridge, port]
    return arguments


def _address_underlay(node: Node) -> None:
    bridge = node.own_bridge
    with entered(node.namespace):
        write_sysctls({f"ipv6/conf/{bridge}/disable_ipv6": "0"})
    lines = [f"link set {bridge} mtu {node.mtu} txqueuelen {TRANSMIT_QUEUE} up"]
    for address, length in zip(node.endpoints, node.prefix_lengths, strict=True):
        nodad = " nodad" if ":" in address else ""
        lines.append(f"addr add {address}/{length} dev {bridge}{nodad}")
    lines += [f"route add default via {gateway} dev {bridge}" for gateway in node.gateways]
    ip_batch(lines, netns=node.namespace)


def _daemons(node: Node) -> tuple[ProcessId, ...]:
    found = [read_pidfile(node.rundir / f"{name}.pid") for name in ("ovsdb-server", "ovs-vswitchd")]
    switch = found[1]
    monitor = None if switch is None else identify(_parent(switch.pid))
    return tuple(process for process in (monitor, *found) if process is not None)


def _parent(pid: int) -> int:
    text = Path(f"/proc/{pid}/stat").read_text()
    return int(text[text.rindex(")") + 2 :].split()[1])
