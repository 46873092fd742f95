"""What the underlay leaves for networks: the narrowest site, less what the technology adds there."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from overlace.model.carriage import Carriage
from overlace.model.site import Host, Site


@dataclass(frozen=True, slots=True)
class Room:
    """The largest inner IP packet, in bytes, and in words where it comes from."""

    mtu: int
    because: str


def room(sites: Iterable[Site], hosts: Iterable[Host], carriages: Collection[Carriage], default: int) -> Room:
    """What reaches every site inside each of these technologies; `default` is the underlay's MTU without sites.

    As soon as one host may be spoken to over IPv6, its larger header counts: a way that falls back to it must
    carry the same packets.
    """
    narrowest = min(sites, key=lambda site: (site.mtu, site.id), default=None)
    underlay = narrowest.mtu if narrowest else default
    six = any(address.version == 6 for host in hosts for address in host.addresses)
    costs = [(each.overhead_ipv6 if six else each.overhead_ipv4, each.network_type) for each in carriages]
    overhead, network_type = max(costs, default=(0, ""))
    where = f"site {narrowest.id}" if narrowest else "the underlay"
    because = f"{where} carries packets of {underlay} bytes"
    if overhead:
        because += f", of which {network_type} over IPv{6 if six else 4} takes {overhead}"
    return Room(underlay - overhead, because)
