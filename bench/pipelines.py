"""The ways through one switch that are compared: a plain bridge, Overlace's pipeline and OVN's, each with and without
connection tracking, and a second plain bridge: what it seems to cost over the first is the error of the comparison.
Each has a workload on h1 and one on h2 and bridges of its own on both; the switch processes are the same.
"""

import time
from dataclasses import dataclass

from bench.ovn import BRIDGE as OVN_BRIDGE, Ovn
from tools.cloud import BRIDGE, Cloud, until

from overlace.lab.lab import Lab

_PLAIN_VNI, _PLAIN_UDP_PORT = 77, 8472  # each plain bridge has a UDP port of its own, beside Overlace's 4789
_HOSTS = ("h1", "h2")
_SETTLE = 1.0


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Its workloads are called `<name>1` and `<name>2`."""

    name: str
    bridge: str
    octet: int

    def ends(self, lab: Lab) -> tuple[tuple[str, str], tuple[str, str]]:
        """Namespace and IPv4 address of both workloads."""
        near, far = (
            (lab.plan.workload_namespace(f"{self.name}{number}"), self.address(number)) for number in (1, 2)
        )
        return near, far

    def address(self, number: int) -> str:
        """Of workload 1 or 2."""
        return f"192.168.0.{self.octet + number}"

    def mac(self, number: int) -> str:
        """Of workload 1 or 2."""
        return f"02:00:00:00:00:{self.octet + number:02x}"


PLAIN = Pipeline("plain", "br-plain", 10)
PLAIN_AGAIN = Pipeline("again", "br-again", 60)
OVERLACE = Pipeline("stateful", BRIDGE, 20)
OVERLACE_OPEN = Pipeline("open", BRIDGE, 30)
OVN_STATEFUL = Pipeline("ovnacl", OVN_BRIDGE, 40)
OVN_OPEN = Pipeline("ovnopen", OVN_BRIDGE, 50)
PIPELINES = (PLAIN, OVERLACE, OVERLACE_OPEN, OVN_STATEFUL, OVN_OPEN, PLAIN_AGAIN)


def build(lab: Lab, cloud: Cloud, ovn: Ovn) -> None:
    """All of them; returns when each port is in its switch."""
    _plain(lab, PLAIN, _PLAIN_UDP_PORT)
    for pipeline in (OVERLACE, OVERLACE_OPEN):
        _overlace(cloud, pipeline)
    for pipeline in (OVN_STATEFUL, OVN_OPEN):
        _ovn(ovn, pipeline)
    _permit(ovn)
    _plain(lab, PLAIN_AGAIN, _PLAIN_UDP_PORT + 1)
    for pipeline in (PLAIN, OVN_STATEFUL, OVN_OPEN, PLAIN_AGAIN):
        for number, host in enumerate(_HOSTS, 1):
            _attach(lab, pipeline, number, host, f"{pipeline.name}{number}")
    until(lambda: all(cloud.status(name) == "ACTIVE" for name in cloud.ports), "ports stay down", 20)
    ovn.nbctl("--wait=hv", "sync")
    time.sleep(_SETTLE)


def in_port(lab: Lab, iface_id: str) -> int:
    """The OpenFlow port on h1 of the interface that announces `iface_id`."""
    find = [
        "ovs-vsctl",
        "--bare",
        "--columns=ofport",
        "find",
        "Interface",
        f"external_ids:iface-id={iface_id}",
    ]
    return int(lab.host_run("h1", find).stdout)


def _plain(lab: Lab, pipeline: Pipeline, udp_port: int) -> None:
    bridge, tunnel = pipeline.bridge, f"vx{pipeline.name}"
    for host, far in (_HOSTS, _HOSTS[::-1]):
        words = ["add-br", bridge, "--", "set", "Bridge", bridge, "datapath_type=netdev"]
        words += ["--", "add-port", bridge, tunnel, "--", "set", "Interface", tunnel, "type=vxlan"]
        words += [f"options:remote_ip={lab.host(far).endpoints[0]}", f"options:key={_PLAIN_VNI}"]
        words += [f"options:dst_port={udp_port}"]
        lab.host_run(host, ["ovs-vsctl", *words])


def _overlace(cloud: Cloud, pipeline: Pipeline) -> None:
    cloud.tenant(pipeline.name)
    secured = {} if pipeline is OVERLACE else {"port_security_enabled": False, "security_groups": []}
    for number, host in enumerate(_HOSTS, 1):
        name = f"{pipeline.name}{number}"
        port = cloud.port(name, pipeline.octet + number, **secured)
        _attach(cloud.lab, pipeline, number, host, port["id"])


def _ovn(ovn: Ovn, pipeline: Pipeline) -> None:
    ovn.nbctl("ls-add", pipeline.name)
    for number in (1, 2):
        name, known = f"{pipeline.name}{number}", f"{pipeline.mac(number)} {pipeline.address(number)}"
        ovn.nbctl("lsp-add", pipeline.name, name, "--", "lsp-set-addresses", name, known)
        if pipeline is OVN_STATEFUL:
            ovn.nbctl("lsp-set-port-security", name, known)


def _permit(ovn: Ovn) -> None:
    """What Overlace's default group says: out to everybody, in from members."""
    ovn.nbctl("pg-add", "members", *(f"{OVN_STATEFUL.name}{number}" for number in (1, 2)))
    ovn.permit_members("members")


def _attach(lab: Lab, pipeline: Pipeline, number: int, host: str, iface_id: str) -> None:
    lab.attach(
        host,
        f"{pipeline.name}{number}",
        mac=pipeline.mac(number),
        iface_id=iface_id,
        ips=[f"{pipeline.address(number)}/24"],
        mtu=1400,
        bridge=pipeline.bridge,
    )
