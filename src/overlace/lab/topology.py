"""The description of a laboratory: sites, hosts, the wide-area network, transit switches and links.

A description is a small YAML text, decoded into frozen structs.  What the decoder cannot know (unique names,
prefixes that do not overlap, links whose ends exist) is checked by `overlace.lab.validation`.
"""

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, IPv6Network
from typing import Literal

import msgspec
from msgspec.structs import replace

from overlace.lab.errors import LabError

Family = Literal["ipv4", "ipv6", "dual"]


class Site(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One site: a router and the hosts behind it.  `mtu` is the underlay's, in bytes of IP packet.

    The hosts named in `kernel` are machines of their own, with the datapath of their own kernel.
    """

    name: str
    hosts: tuple[str, ...]
    ipv4: str | None = None
    ipv6: str | None = None
    mtu: int = 1600
    kernel: tuple[str, ...] = ()

    @property
    def ipv4_network(self) -> IPv4Network | None:
        return None if self.ipv4 is None else IPv4Network(self.ipv4)

    @property
    def ipv6_network(self) -> IPv6Network | None:
        return None if self.ipv6 is None else IPv6Network(self.ipv6)


class Wan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The wide-area network: one-way delay in ms, rate in Mbit/s per direction (0: none), loss in percent.

    The same figures apply to every link marked `wan`.  `ipv4` and `ipv6` number the routers' wide-area ends.
    """

    delay_ms: float = 5.0
    rate_mbit: float = 0.0
    loss_pct: float = 0.0
    mtu: int = 1600
    ipv4: str = "172.31.255.0/24"
    ipv6: str = "fdff:ffff::/64"


class Transit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An OpenFlow switch between the hosts, without any tunnel of its own."""

    name: str
    site: str


class Link(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A wire between two of the hosts and transit switches; `wan` leads it through the wide-area relay."""

    ends: tuple[str, str]
    wan: bool = False
    mtu: int = 1600

    @property
    def name(self) -> str:
        return "-".join(self.ends)


class Topology(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole laboratory.  `underlay` says which address families the sites' own networks carry."""

    sites: tuple[Site, ...]
    underlay: Family = "dual"
    wan: Wan = Wan()
    management: str = "198.18.0.0/24"
    transit: tuple[Transit, ...] = ()
    links: tuple[Link, ...] = ()

    @property
    def has_ipv4(self) -> bool:
        return self.underlay in ("ipv4", "dual")

    @property
    def has_ipv6(self) -> bool:
        return self.underlay in ("ipv6", "dual")

    def host_names(self) -> tuple[str, ...]:
        return tuple(name for site in self.sites for name in site.hosts)

    def kernel_names(self) -> tuple[str, ...]:
        return tuple(name for site in self.sites for name in site.kernel)

    def with_kernel(self, hosts: Iterable[str]) -> "Topology":
        """The same laboratory with these hosts as machines of their own. Raises `LabError` for one that is none."""
        wanted = set(hosts)
        if unknown := sorted(wanted - set(self.host_names())):
            raise LabError(f"no host is called '{unknown[0]}'; there are {', '.join(self.host_names())}")
        sites = (
            replace(site, kernel=tuple(it for it in site.hosts if it in {*site.kernel, *wanted}))
            for site in self.sites
        )
        return replace(self, sites=tuple(sites))

    def switch_names(self) -> tuple[str, ...]:
        """Every node with an Open vSwitch: hosts first, then transit switches."""
        return self.host_names() + tuple(t.name for t in self.transit)

    def site_of(self, node: str) -> Site:
        """The site of a host or transit switch.  Raises `LabError` for a name that is neither."""
        sites = {site.name: site for site in self.sites}
        for site in self.sites:
            if node in site.hosts:
                return site
        for transit in self.transit:
            if transit.name == node:
                return sites[transit.site]
        known = ", ".join(self.switch_names())
        raise LabError(f"no host or transit switch is called '{node}'; this laboratory has {known}")

    def links_of(self, node: str) -> Iterator[Link]:
        return (link for link in self.links if node in link.ends)

    def workload_mtu(self) -> int:
        """The largest usual MTU (at most 1500) that fits every site and the WAN with the VXLAN overhead.

        The overhead over IPv4 is 50 bytes, over IPv6 it is 70 (RFC 7348 section 5; IPv6 header of 40 bytes).
        """
        smallest = min([site.mtu for site in self.sites] + ([self.wan.mtu] if len(self.sites) > 1 else []))
        return min(1500, smallest - (70 if self.has_ipv6 else 50))
