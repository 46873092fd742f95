"""From a topology to names and addresses: a pure plan, the same each time for the same topology."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

import msgspec

from overlace.lab.topology import Link, Topology
from overlace.lab.validation import ROUTER_V6

DEFAULT_BRIDGE = "br-overlace"
"""The integration bridge that joining a host makes."""
FIRST_MANAGED = 10
MGMT_MTU = 1500


def namespace_prefix(lab: str) -> str:
    """What the names of all namespaces of a laboratory begin with.  Laboratory names hold no hyphen."""
    return f"ovl-{lab}-"


class Node(msgspec.Struct, frozen=True):
    """A host or a transit switch: a namespace with an Open vSwitch of its own.

    `endpoints` are the underlay addresses, to be used as tunnel endpoints (IPv4 first); empty at transit
    switches. `management` is the address towards the controller.  `hwaddr` is the MAC of the node's own
    bridge. `kernel`: a machine of its own, with the datapath of its kernel; its namespace holds only its process.
    """

    name: str
    site: str
    namespace: str
    directory: Path
    endpoints: tuple[str, ...]
    prefix_lengths: tuple[int, ...]
    gateways: tuple[str, ...]
    mtu: int
    management: str
    management_length: int
    hwaddr: str
    transit: bool = False
    kernel: bool = False

    @property
    def rundir(self) -> Path:
        """OVS_RUNDIR of the node's Open vSwitch."""
        return self.directory / "run"

    @property
    def db_socket(self) -> Path:
        """The Unix socket of the node's OVSDB server."""
        return self.rundir / "db.sock"

    @property
    def environment(self) -> dict[str, str]:
        """What makes ovs-vsctl, ovs-ofctl and ovs-appctl find the node's Open vSwitch."""
        if self.kernel:
            return {}  # it is where a machine has it
        return {
            "OVS_RUNDIR": str(self.rundir),
            "OVS_DBDIR": str(self.directory / "db"),
            "OVS_LOGDIR": str(self.directory / "log"),
            "OVS_SYSCONFDIR": str(self.directory / "etc"),
        }

    @property
    def own_bridge(self) -> str:
        """The bridge that the laboratory makes:

        the underlay's at a host, the switch itself at a transit switch.
        """
        return "br-transit" if self.transit else "br-phy"


class Router(msgspec.Struct, frozen=True):
    """A site's router: inside and wide-area addresses, each with prefix length."""

    site: str
    namespace: str
    inside: tuple[str, ...]
    outside: tuple[str, ...]
    mtu: int


class Plan(msgspec.Struct, frozen=True):
    """All names and addresses of one laboratory."""

    lab: str
    topology: Topology
    nodes: tuple[Node, ...]
    routers: tuple[Router, ...]

    @property
    def wan_namespace(self) -> str:
        return namespace_prefix(self.lab) + "wan"

    @property
    def mgmt_namespace(self) -> str:
        """Where the controller runs."""
        return namespace_prefix(self.lab) + "mgmt"

    @property
    def panel_namespace(self) -> str:
        """Where workloads' cables are switched from host to host."""
        return namespace_prefix(self.lab) + "panel"

    @property
    def controller(self) -> str:
        """The controller's address in the management network."""
        return str(IPv4Network(self.topology.management)[1])

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Every namespace of the laboratory except the workloads'."""
        fixed = (self.wan_namespace, self.mgmt_namespace, self.panel_namespace)
        return tuple(n.namespace for n in self.nodes) + tuple(r.namespace for r in self.routers) + fixed

    def workload_namespace(self, name: str) -> str:
        return f"{namespace_prefix(self.lab)}w-{name}"


def make_plan(lab: str, topology: Topology, directory: Path) -> Plan:
    """Number everything.  `directory` is the laboratory's state directory."""
    prefix = namespace_prefix(lab)
    routers = tuple(
        Router(
            site=site.name,
            namespace=prefix + site.name,
            inside=tuple(f"{gateway}/{length}" for gateway, length in _gateways(topology, site.name)),
            outside=_outside(topology, index),
            mtu=site.mtu,
        )
        for index, site in enumerate(topology.sites)
    )
    nodes = tuple(
        _node(prefix, topology, directory, name, index)
        for index, name in enumerate(topology.switch_names(), start=1)
    )
    return Plan(lab, topology, nodes, routers)


def _networks(topology: Topology, site_name: str) -> list[IPv4Network | IPv6Network]:
    site = next(site for site in topology.sites if site.name == site_name)
    v4 = site.ipv4_network if topology.has_ipv4 else None
    v6 = site.ipv6_network if topology.has_ipv6 else None
    return [network for network in (v4, v6) if network is not None]


def _gateways(topology: Topology, site_name: str) -> list[tuple[str, int]]:
    return [
        (str(network[-2] if network.version == 4 else network[ROUTER_V6]), network.prefixlen)
        for network in _networks(topology, site_name)
    ]


def _outside(topology: Topology, index: int) -> tuple[str, ...]:
    v4, v6 = IPv4Network(topology.wan.ipv4), IPv6Network(topology.wan.ipv6)
    addresses = []
    if topology.has_ipv4:
        addresses.append(f"{v4[index + 1]}/{v4.prefixlen}")
    if topology.has_ipv6:
        addresses.append(f"{v6[index + 1]}/{v6.prefixlen}")
    return tuple(addresses)


def _node(prefix: str, topology: Topology, directory: Path, name: str, index: int) -> Node:
    site = topology.site_of(name)
    management = IPv4Network(topology.management)
    transit = name not in site.hosts
    networks = [] if transit else _networks(topology, site.name)
    position = 0 if transit else site.hosts.index(name) + 1
    return Node(
        name=name,
        site=site.name,
        namespace=prefix + name,
        directory=directory / name,
        endpoints=tuple(str(network[position]) for network in networks),
        prefix_lengths=tuple(network.prefixlen for network in networks),
        gateways=() if transit else tuple(gateway for gateway, _ in _gateways(topology, site.name)),
        mtu=site.mtu,
        management=str(management[FIRST_MANAGED + index - 1]),
        management_length=management.prefixlen,
        hwaddr=f"02:0c:00:00:{index >> 8:02x}:{index & 255:02x}",
        transit=transit,
        kernel=name in site.kernel,
    )


def link_interfaces(topology: Topology, node: str) -> dict[str, str]:
    """The links of the topology that end at a node, each with its interface there."""
    return {link.name: link_interface(link, node) for link in topology.links_of(node)}


def link_interface(link: Link, node: str) -> str:
    """The name of a link's interface at one of its ends: to-OTHER."""
    other = link.ends[1] if link.ends[0] == node else link.ends[0]
    return f"to-{other}"
