"""Cutting and healing: which interface stands for which link."""

from typing import NamedTuple

from overlace.lab.errors import LabError
from overlace.lab.execution import ip_batch
from overlace.lab.fabric import relay_links
from overlace.lab.plan import Plan, link_interface


class LinkInfo(NamedTuple):
    """A link that can be cut: its name, its two ends, and the end (namespace, interface) that is set down.

    `port` is None for links through the relay; they lose frames without a change of carrier, as a cut far
    away does.  The others lose their carrier at both ends.
    """

    name: str
    ends: tuple[str, ...]
    port: tuple[str, str] | None


def links(plan: Plan) -> tuple[LinkInfo, ...]:
    """Every link by name: wan, uplink-HOST, mgmt-NODE, and the topology's own A-B."""
    routers = {router.site: router.namespace for router in plan.routers}
    namespaces = {node.name: node.namespace for node in plan.nodes}
    found = [
        LinkInfo(link.name, tuple(side for _, side in link.interfaces), None) for link in relay_links(plan)
    ]
    for node in plan.nodes:
        if not node.transit:
            port = (routers[node.site], f"up-{node.name}")
            found.append(LinkInfo(f"uplink-{node.name}", (node.name, node.site), port))
    for link in plan.topology.links:
        if not link.wan:
            near = link.ends[0]
            found.append(LinkInfo(link.name, link.ends, (namespaces[near], link_interface(link, near))))
    for node in plan.nodes:
        management = (plan.mgmt_namespace, f"m-{node.name}")
        found.append(LinkInfo(f"mgmt-{node.name}", (node.name, "controller"), management))
    return tuple(found)


def link_named(plan: Plan, name: str) -> LinkInfo:
    """The link of a name.  Raises `LabError` that lists the names there are."""
    for link in links(plan):
        if link.name == name:
            return link
    known = ", ".join(link.name for link in links(plan))
    raise LabError(f"no link is called '{name}'; this laboratory has {known}")


def set_carrier(link: LinkInfo, up: bool) -> None:
    """Set the interface of a link that does not go through the relay up or down."""
    if link.port is not None:
        netns, interface = link.port
        ip_batch([f"link set {interface} {'up' if up else 'down'}"], netns=netns)
