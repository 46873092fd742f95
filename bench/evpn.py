"""Kernel VXLAN with FRR's EVPN in a laboratory, beside Overlace and OVN on the same hosts: what is measured against.

On every host stand a Linux bridge and a VXLAN device, and FRR's zebra and bgpd in a full mesh (RFC 7432, RFC 8365):
what a bridge learns about its own ports is told to the others, and nothing is learned from tunnels. Tuned for moves:
nothing waits before it is told (`coalesce-time 0`, `advertisement-interval 0`), a MAC address that moves often is not
taken for a duplicate, and `arp_accept` is on.
"""

import os
import shutil
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from overlace.lab.errors import CommandFailed
from overlace.lab.execution import ip_batch
from overlace.lab.lab import Lab
from overlace.lab.namespace import entered, write_sysctls
from overlace.lab.plan import Node

BRIDGE, SPARE = "br-evpn", "br-spare"
_VXLAN, _VNI, _AS = "vx-evpn", 4242, 65000
# Not the port of the other systems: both have their sockets in the same namespaces.
_PORT = 4790
_OVERHEAD = 50
_DAEMONS = Path("/usr/lib/frr")
_USER = "frr"


class Evpn:
    """The bridges, and FRR on each host."""

    def __init__(self, lab: Lab) -> None:
        if not (_DAEMONS / "bgpd").exists():
            raise SystemExit("FRR is not installed: apt-get install frr")
        self._lab = lab

    def start(self) -> None:
        """Start everything, and wait until all hosts know each other."""
        for host in self._lab.hosts:
            self._bridge(host)
            for name in ("zebra", "bgpd"):
                self._daemon(host, name)
        for host in self._lab.hosts:
            self._await_peers(host)

    def stop(self) -> None:
        """End the daemons."""
        for pidfile in self._lab.directory.glob("*/frr/*.pid"):
            try:
                os.kill(int(pidfile.read_text()), signal.SIGKILL)
            except ProcessLookupError:
                continue

    def plug(self, host: str, interface: str) -> None:
        """Move an interface from Open vSwitch's spare bridge, where the laboratory has plugged it, into ours."""
        node = self._lab.host(host)
        self._lab.host_run(host, ["ovs-vsctl", "del-port", SPARE, interface])
        ip_batch([f"link set {interface} master {BRIDGE} up"], netns=node.namespace)

    def _bridge(self, host: Node) -> None:
        # A port of this bridge goes nowhere: it is there for the moment in which a workload is plugged.
        spare = ["add-br", SPARE, "--", "set", "Bridge", SPARE, "datapath_type=netdev", "fail-mode=secure"]
        self._lab.host_run(host.name, ["ovs-vsctl", *spare])
        device = f"type vxlan id {_VNI} local {host.endpoints[0]} dstport {_PORT} nolearning"
        ip_batch(
            [
                f"link add {BRIDGE} type bridge mcast_snooping 0",
                f"link add {_VXLAN} {device}",
                f"link set {_VXLAN} mtu {host.mtu - _OVERHEAD} master {BRIDGE} up",
                f"link set {_VXLAN} type bridge_slave learning off neigh_suppress on",
                f"link set {BRIDGE} up",
            ],
            netns=host.namespace,
        )
        with entered(host.namespace):
            write_sysctls({f"ipv4/conf/{BRIDGE}/arp_accept": "1"})

    def _daemon(self, host: Node, name: str) -> None:
        directory = host.directory / "frr"
        directory.mkdir(exist_ok=True)
        shutil.chown(directory, _USER, _USER)
        configuration = directory / f"{name}.conf"
        others = [each.endpoints[0] for each in self._lab.hosts if each is not host]
        configuration.write_text(mesh(host.endpoints[0], others) if name == "bgpd" else "")
        command = [str(_DAEMONS / name), "-d", "-f", str(configuration)]
        command += ["-i", str(directory / f"{name}.pid"), "-z", str(directory / "zserv.api")]
        command += [
            "--vty_socket",
            str(directory),
            "-A",
            "127.0.0.1",
            "--log",
            f"file:{directory}/{name}.log",
        ]
        self._lab.host_run(host.name, command)

    def _await_peers(self, host: Node) -> None:
        """Every other host is where frames for everybody go: its bgpd has told that it has the network."""
        known = (
            f"for i in $(seq 200); do n=$(bridge fdb show dev {_VXLAN} | grep -c '00:00:00:00:00:00.*dst'); "
        )
        known += f"[ $n -ge {len(self._lab.hosts) - 1} ] && exit 0; sleep 0.1; done; exit 1"
        try:
            self._lab.host_run(host.name, ["sh", "-c", known])
        except CommandFailed as error:
            raise SystemExit(
                f"EVPN: {host.name} does not hear of the others; see {host.directory}/frr"
            ) from error


def mesh(address: str, others: Sequence[str]) -> str:
    """What bgpd at an address is told: its neighbours, and to tell all networks without waiting."""
    lines = [f"router bgp {_AS}", f" bgp router-id {address}", " no bgp default ipv4-unicast"]
    lines += [" coalesce-time 0"]
    for other in others:
        lines += [f" neighbor {other} remote-as {_AS}", f" neighbor {other} advertisement-interval 0"]
    lines += [" address-family l2vpn evpn"]
    lines += [f"  neighbor {other} activate" for other in others]
    lines += ["  advertise-all-vni", "  no dup-addr-detection", " exit-address-family"]
    return "\n".join(lines) + "\n"


@contextmanager
def evpn_on(lab: Lab) -> Iterator[Evpn]:
    """Started on all hosts; ended with the block."""
    evpn = Evpn(lab)
    try:
        evpn.start()
        yield evpn
    finally:
        evpn.stop()
