"""Whether a packet fits: the network's MTU, and what the underlay carries once a technology has added its own."""

from overlace.compiler.cause_text import name_of
from overlace.compiler.technologies.members import TECHNOLOGIES
from overlace.compiler.tracing.finding import Finding
from overlace.model.network import Network, Segment
from overlace.model.site import Host, Site
from overlace.model.snapshot import Snapshot


def too_big(snapshot: Snapshot, network: Network, size: int, hosts: list[str]) -> Finding | None:
    """Why an IP packet of `size` bytes does not get through between these hosts, crossed in turn."""
    for one, other in zip(hosts, hosts[1:], strict=False):
        carried = size + _overhead(snapshot, network, other)
        for host in (one, other):
            site = _site(snapshot, host)
            if site is not None and carried > site.mtu:
                text = f"{size} bytes become {carried} between hosts, and site {site.id} carries {site.mtu}"
                return Finding("too_big", text, _cure(network, site.mtu - (carried - size)))
    return None


def above_mtu(network: Network, size: int) -> Finding | None:
    """A guest that keeps to the network's MTU sends no packet of this size."""
    if not network.mtu or size <= network.mtu:
        return None
    text = f"{size} bytes are more than the MTU of network {name_of(network)}, {network.mtu}"
    return Finding("above_mtu", text, "guests learn the MTU by DHCP; see theirs", network.project_id)


def _cure(network: Network, fits: int) -> str:
    return f"openstack network set --mtu {fits} {name_of(network)}, or raise the underlay's MTU"


def _site(snapshot: Snapshot, host: str) -> Site | None:
    found = snapshot.get(Host, host)
    return None if found is None else snapshot.get(Site, found.site_id)


def _overhead(snapshot: Snapshot, network: Network, other: str) -> int:
    segments = snapshot.members(Segment, "network", network.id)
    types = (each.network_type for each in segments if each.network_type in TECHNOLOGIES)
    technology = TECHNOLOGIES.get(next(types, ""))
    if technology is None:
        return 0
    carriage = technology.carriage
    return carriage.overhead_ipv4 if _tunnel_version(snapshot, other) == 4 else carriage.overhead_ipv6


def _tunnel_version(snapshot: Snapshot, host: str) -> int:
    """The family of the host's preferred endpoint, the one that tunnels to it use."""
    found = snapshot.get(Host, host)
    endpoints = sorted(found.endpoints, key=lambda each: each.preference) if found is not None else []
    return endpoints[0].address.version if endpoints else 4
