"""Checks on a topology that the decoder cannot make.  Each fault is told with its cure."""

import re
from collections import Counter
from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network

from overlace.lab.topology import Site, Topology, Wan

# "to-" and a node's name make an interface name, which Linux limits to 15 bytes.
NODE_NAME = re.compile(r"[a-z][a-z0-9-]{0,11}")
RESERVED = frozenset({"wan", "mgmt", "panel"})
# RFC 8200 section 5: every IPv6 link carries at least 1280 bytes.  veth accepts up to 65535.
MTU_RANGE = range(1280, 9217)
# The last address of a site's prefix is the router's, the first ones are the hosts'.
HOSTS_PER_SITE = 200
# The number of the router inside a site's IPv6 prefix.
ROUTER_V6 = 0xFF


def problems_of(topology: Topology) -> list[str]:
    """Every fault of the description, in reading order; empty when it can be built."""
    return [
        *_names(topology),
        *_sites(topology),
        *_wan(topology.wan),
        *_prefixes(topology),
        *_transit(topology),
        *_links(topology),
    ]


def _names(topology: Topology) -> Iterator[str]:
    names = [site.name for site in topology.sites] + list(topology.switch_names())
    for name, count in Counter(names).items():
        if count > 1:
            yield f"name '{name}' is used {count} times: give every site, host and transit switch its own"
        if name in RESERVED or name.startswith("w-"):
            yield f"name '{name}' is reserved for the laboratory: choose another than wan, mgmt, panel, w-..."
        elif not NODE_NAME.fullmatch(name):
            yield f"name '{name}' is not usable: 1 to 12 of a-z, 0-9 and '-', beginning with a letter"


def _sites(topology: Topology) -> Iterator[str]:
    if not topology.sites:
        yield "there is no site: add at least one entry below 'sites'"
    for site in topology.sites:
        if not site.hosts:
            yield f"site '{site.name}' has no host: name at least one below 'hosts'"
        if len(site.hosts) > HOSTS_PER_SITE:
            yield f"site '{site.name}' has {len(site.hosts)} hosts: at most {HOSTS_PER_SITE}, split it"
        if site.mtu not in MTU_RANGE:
            yield f"site '{site.name}' has mtu {site.mtu}: choose 1280 to 9216"
        yield from _families(topology, site)
        yield from _kernel(topology, site)


def _kernel(topology: Topology, site: Site) -> Iterator[str]:
    wired = {end for link in topology.links for end in link.ends}
    for name in site.kernel:
        if name not in site.hosts:
            yield f"site '{site.name}' has '{name}' below 'kernel' but not below 'hosts': name it there too"
        elif name in wired:
            yield f"host '{name}' has a link to a switch: only hosts that are not below 'kernel' can have one"


def _families(topology: Topology, site: Site) -> Iterator[str]:
    for family, wanted, prefix in (
        ("ipv4", topology.has_ipv4, site.ipv4),
        ("ipv6", topology.has_ipv6, site.ipv6),
    ):
        if wanted and prefix is None:
            yield (
                f"site '{site.name}' has no {family} prefix although the underlay is '{topology.underlay}': "
                f"add '{family}: PREFIX' to the site or change 'underlay'"
            )


def _wan(wan: Wan) -> Iterator[str]:
    if not 0 <= wan.delay_ms <= 10_000:
        yield f"wan delay_ms is {wan.delay_ms}: choose 0 to 10000 (one way, in milliseconds)"
    if not 0 <= wan.rate_mbit <= 100_000:
        yield f"wan rate_mbit is {wan.rate_mbit}: choose 0 (no limit) to 100000"
    if not 0 <= wan.loss_pct <= 100:
        yield f"wan loss_pct is {wan.loss_pct}: choose 0 to 100 (percent)"
    if wan.mtu not in MTU_RANGE:
        yield f"wan mtu is {wan.mtu}: choose 1280 to 9216"


def _prefixes(topology: Topology) -> Iterator[str]:
    named = [(f"site '{s.name}' ipv4", s.ipv4, 4, len(s.hosts) + 1) for s in topology.sites]
    named += [(f"site '{s.name}' ipv6", s.ipv6, 6, ROUTER_V6) for s in topology.sites]
    named += [("wan ipv4", topology.wan.ipv4, 4, len(topology.sites))]
    named += [("wan ipv6", topology.wan.ipv6, 6, len(topology.sites))]
    named += [("management", topology.management, 4, 10 + len(topology.switch_names()))]
    seen: list[tuple[str, IPv4Network | IPv6Network]] = []
    for what, text, version, needed in named:
        if text is None:
            continue
        try:
            network = ip_network(text)
        except ValueError as error:
            yield f"{what}: {error}: write a network such as {'10.1.0.0/24' if version == 4 else 'fd01::/64'}"
            continue
        if network.version != version:
            yield f"{what} is {text}: an IPv{version} prefix is needed"
        elif network.num_addresses < needed + 2:
            yield f"{what} is {text}: too small for {needed} nodes, use a shorter prefix"
        for other, taken in seen:
            if network.version == taken.version and network.overlaps(taken):
                yield f"{what} {network} overlaps {other} {taken}: choose disjoint prefixes"
        seen.append((what, network))


def _transit(topology: Topology) -> Iterator[str]:
    sites = {site.name for site in topology.sites}
    for transit in topology.transit:
        if transit.site not in sites:
            known = ", ".join(sorted(sites))
            yield f"transit switch '{transit.name}' is at unknown site '{transit.site}': use one of {known}"


def _links(topology: Topology) -> Iterator[str]:
    transits = {transit.name for transit in topology.transit}
    nodes = set(topology.switch_names())
    site_names = {host: site.name for site in topology.sites for host in site.hosts}
    site_names |= {transit.name: transit.site for transit in topology.transit}
    seen: set[frozenset[str]] = set()
    for link in topology.links:
        unknown = [end for end in link.ends if end not in nodes]
        if unknown:
            yield f"link {link.name} ends at unknown '{unknown[0]}': name a host or transit switch"
            continue
        if link.ends[0] == link.ends[1]:
            yield f"link {link.name} joins a node to itself: name two different ends"
        elif not transits & set(link.ends):
            yield f"link {link.name} joins two hosts: one end must be a transit switch"
        elif not link.wan and len({site_names[end] for end in link.ends}) > 1:
            yield f"link {link.name} leaves its site: mark it 'wan: true'"
        if frozenset(link.ends) in seen:
            yield f"link {link.name} is given twice: keep one"
        if link.mtu not in MTU_RANGE:
            yield f"link {link.name} has mtu {link.mtu}: choose 1280 to 9216"
        seen.add(frozenset(link.ends))
