"""The wires of a laboratory: who is joined to whom by which veth pair.

    host eth0 ----------- up-HOST  [bridge lan, router of the site]  wan0 ------- s0, s1 ...  [relay]
    node mgmt0 ---------- m-NODE   [bridge mgmt, controller's namespace]
    node to-OTHER ------- to-NODE  [the other node]              a link inside a site
    node to-OTHER ------- l0a, l0b [relay]                       a link marked wan

The ports of the management bridge are isolated from each other (bridge(8), `isolated`): a node reaches the
controller there and nothing else.
"""

from ipaddress import ip_interface
from typing import NamedTuple

from overlace.lab.plan import MGMT_MTU, Node, Plan, Router, link_interface

# Nothing may be sent that nobody asked for: IPv6 stays off on interfaces unless it is switched on by name,
# since router solicitations of cables would reach the workloads' networks.  Nodes do not forward: only
# routers do.
QUIET = {
    "ipv6/conf/all/disable_ipv6": "0",
    "ipv6/conf/default/disable_ipv6": "1",
    "ipv4/ip_forward": "0",
    "ipv6/conf/all/forwarding": "0",
}
ROUTING = {"ipv4/ip_forward": "1", "ipv6/conf/all/forwarding": "1", "ipv6/conf/default/disable_ipv6": "0"}


class Cable(NamedTuple):
    """A veth pair: namespace and interface of both ends."""

    near: tuple[str, str]
    far: tuple[str, str]
    mtu: int


class RelayLink(NamedTuple):
    """A link through the relay: its interfaces there, each with the name of the node behind it."""

    name: str
    interfaces: tuple[tuple[str, str], ...]
    mtu: int


def cables(plan: Plan) -> list[Cable]:
    """Every veth pair of the laboratory except the workloads'."""
    routers = {router.site: router.namespace for router in plan.routers}
    found = []
    for node in plan.nodes:
        if node.kernel:
            continue  # its machine has NICs instead: `sockets`
        found.append(Cable((node.namespace, "mgmt0"), (plan.mgmt_namespace, f"m-{node.name}"), MGMT_MTU))
        if not node.transit:
            uplink = (routers[node.site], f"up-{node.name}")
            found.append(Cable((node.namespace, "eth0"), uplink, node.mtu))
    for index, router in enumerate(plan.routers):
        if len(plan.routers) > 1:
            far = (plan.wan_namespace, f"s{index}")
            found.append(Cable((router.namespace, "wan0"), far, plan.topology.wan.mtu))
    return found + _link_cables(plan)


def sockets(plan: Plan, node: Node) -> tuple[tuple[str, str], tuple[str, str]]:
    """The near ends, namespace and interface, of a kernel host's NICs eth0 and mgmt0."""
    router = next(router.namespace for router in plan.routers if router.site == node.site)
    return (router, f"up-{node.name}"), (plan.mgmt_namespace, f"m-{node.name}")


def _link_cables(plan: Plan) -> list[Cable]:
    namespaces = {node.name: node.namespace for node in plan.nodes}
    found = []
    for index, link in enumerate(plan.topology.links):
        ends = [(namespaces[end], link_interface(link, end)) for end in link.ends]
        if link.wan:
            relayed = zip(ends, ("a", "b"), strict=True)
            found += [Cable(end, (plan.wan_namespace, f"l{index}{side}"), link.mtu) for end, side in relayed]
        else:
            found.append(Cable(ends[0], ends[1], link.mtu))
    return found


def relay_links(plan: Plan) -> list[RelayLink]:
    """What the relay carries:

    the wide-area network of the routers, called `wan`, and the links marked `wan`.
    """
    found = []
    if len(plan.routers) > 1:
        sites = tuple((f"s{index}", router.site) for index, router in enumerate(plan.routers))
        found.append(RelayLink("wan", sites, plan.topology.wan.mtu))
    for index, link in enumerate(plan.topology.links):
        if link.wan:
            ends = ((f"l{index}a", link.ends[0]), (f"l{index}b", link.ends[1]))
            found.append(RelayLink(link.name, ends, link.mtu))
    return found


def creation(cable: Cable) -> str:
    """The `ip -batch` line that makes a cable."""
    (near_ns, near), (far_ns, far) = cable.near, cable.far
    return (
        f"link add name {near} mtu {cable.mtu} netns {near_ns} "
        f"type veth peer name {far} mtu {cable.mtu} netns {far_ns}"
    )


def node_lines(plan: Plan, node: Node) -> list[str]:
    """What is set in a node's namespace before its Open vSwitch starts."""
    if node.kernel:
        return ["link set lo up"]
    lines = ["link set lo up", "link set mgmt0 up"]
    lines.append(f"addr add {node.management}/{node.management_length} dev mgmt0")
    if not node.transit:
        lines.append("link set eth0 up")
    lines += [f"link set {link_interface(link, node.name)} up" for link in plan.topology.links_of(node.name)]
    return lines


def router_lines(plan: Plan, router: Router) -> list[str]:
    """What is set in a router's namespace."""
    lines = ["link set lo up", "link add lan type bridge mcast_snooping 0"]
    behind = [node.name for node in plan.nodes if node.site == router.site and not node.transit]
    lines += [f"link set up-{name} master lan up" for name in behind]
    lines.append(f"link set lan mtu {router.mtu} up")
    lines += [_address(address, "lan") for address in router.inside]
    if len(plan.routers) > 1:
        lines.append("link set wan0 up")
        lines += [_address(address, "wan0") for address in router.outside]
        lines += _routes(plan, router)
    return lines


def _routes(plan: Plan, router: Router) -> list[str]:
    lines = []
    for other in plan.routers:
        if other is not router:
            for inside, outside in zip(other.inside, other.outside, strict=True):
                lines.append(f"route add {_network(inside)} via {outside.split('/')[0]} dev wan0")
    return lines


def _address(address: str, interface: str) -> str:
    return f"addr add {address} dev {interface}{' nodad' if ':' in address else ''}"


def _network(address: str) -> str:
    return str(ip_interface(address).network)


def mgmt_lines(plan: Plan) -> list[str]:
    """What is set in the controller's namespace."""
    length = plan.nodes[0].management_length
    lines = ["link set lo up", "link add mgmt type bridge", "link set mgmt up"]
    lines.append(f"addr add {plan.controller}/{length} dev mgmt")
    for node in plan.nodes:
        lines.append(f"link set m-{node.name} master mgmt up")
        lines.append(f"link set m-{node.name} type bridge_slave isolated on")
    return lines


def relay_lines(plan: Plan) -> list[str]:
    """What is set in the relay's namespace."""
    interfaces = [name for link in relay_links(plan) for name, _ in link.interfaces]
    return ["link set lo up", *(f"link set {name} up" for name in interfaces)]
