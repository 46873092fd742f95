"""The fabric: transit switches, the links between them, and where hosts are attached.

A link is in service unless one of its ends is known to be down: a node that has told its ports and does not name
the end's interface among those with a carrier. What a node has not told yet is taken to be up, so that a
controller that has just started re-routes nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from overlace.compiler.reader import Reader
from overlace.compiler.technologies.shortest_paths import Edge, edges_towards
from overlace.model.site import Host, Link, TransitSwitch


@dataclass(frozen=True, slots=True)
class Attachment:
    """The transit switch and its interface at which a host hangs."""

    switch: str
    interface: str


def attachment(reader: Reader, host: Host) -> Attachment | None:
    """Where the host's fabric interface leads; None when no link in service says so."""
    ends = (end for end in _ends(reader, host.id) if end.near == host.fabric_interface)
    found = (
        Attachment(end.node, end.far)
        for end in ends
        if reader.get(TransitSwitch, end.node) is not None and _in_service(reader, host.id, end)
    )
    return next(found, None)


def attached(reader: Reader, switch: str) -> Iterator[tuple[Host, str]]:
    """The hosts that hang at a transit switch, by its interface."""
    for end in _ends(reader, switch):
        host = reader.get(Host, end.node)
        if host is not None and attachment(reader, host) == Attachment(switch, end.near):
            yield host, end.near


def next_hops(reader: Reader, root: str) -> dict[str, str | None]:
    """For every transit switch from which the switch `root` is reached, the interface that leads there; None for
    `root` itself."""
    graph: dict[str, list[Edge]] = {}
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node in graph:
            continue
        graph[node] = [
            Edge(max(1, end.cost), end.node, end.near)
            for end in _ends(reader, node)
            if reader.get(TransitSwitch, end.node) is not None and _in_service(reader, node, end)
        ]
        waiting += [edge.to for edge in graph[node]]
    ways: dict[str, str | None] = {root: None}
    ways.update((node, edge.interface) for node, edge in edges_towards(root, graph).items())
    return ways


@dataclass(frozen=True, slots=True)
class _End:
    """A link as one of its nodes sees it: by its interface `near`, to the interface `far` of `node`."""

    near: str
    node: str
    far: str
    cost: int


def _ends(reader: Reader, node: str) -> list[_End]:
    links = sorted(reader.members(Link, "node", node), key=lambda link: link.id)
    ends = []
    for link in links:
        if link.a_node == node:
            ends.append(_End(link.a_interface, link.b_node, link.b_interface, link.cost))
        else:
            ends.append(_End(link.b_interface, link.a_node, link.a_interface, link.cost))
    return ends


def _in_service(reader: Reader, node: str, end: _End) -> bool:
    return not (_is_down(reader, node, end.near) or _is_down(reader, end.node, end.far))


def _is_down(reader: Reader, node: str, interface: str) -> bool:
    ports = reader.fabric_ports(node)
    return ports is not None and interface not in ports
