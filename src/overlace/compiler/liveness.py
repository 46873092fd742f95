"""Liveness: BFD (RFC 5880) between hosts, over VXLAN on a VNI of Overlace's own.

Open vSwitch runs BFD only on ports with a fixed remote address. With the reserved VNI as their key such ports
take nothing but BFD from that remote: tenants' frames still arrive on the flow-based port, where the rules are
(ovs-vswitchd.conf.db(5), "Bidirectional Forwarding Detection"). Whatever else comes in there is dropped.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from overlace.compiler.peering import watching_pairs
from overlace.compiler.pipeline import (
    LIVENESS_OFPORT_FIRST,
    LIVENESS_OFPORT_LAST,
    VNI_LIVENESS,
    CookieClass,
    Table,
    cookie,
)
from overlace.compiler.plan import Fragment, TunnelPort
from overlace.compiler.reader import Reader
from overlace.compiler.rule import rule
from overlace.compiler.technologies.vxlan import tunnel_port_option
from overlace.compiler.unit import Output, UnitId, switch_audience
from overlace.datapath.fields import Field
from overlace.kit.addresses import IPAddress
from overlace.model.controller import controller_of
from overlace.model.site import Host

INTERVAL_MS = 250
"""Between two BFD packets; three missing ones in a row say that the way is down (RFC 5880 6.8.4)."""
MOST_WAYS = 4
"""Sessions between two hosts: one for each pair of endpoints of one family, the preferred ones first."""
PORT_PREFIX = "ovl-bfd-"

_WATCHED_KEYS = (LIVENESS_OFPORT_LAST - LIVENESS_OFPORT_FIRST + 1) // MOST_WAYS
_BFD = (("enable", "true"), ("min_rx", str(INTERVAL_MS)), ("min_tx", str(INTERVAL_MS)))
_DROP_PRIORITY = 300


@dataclass(frozen=True, slots=True)
class WatchedHost:
    """What is needed of a host: its place on the ring, its number, its tunnel addresses, best first."""

    site: str
    name: str
    key: int
    addresses: tuple[IPAddress, ...]


@dataclass(frozen=True, slots=True)
class Watch:
    """All hosts, by site and name, and the UDP port of their tunnels."""

    hosts: tuple[WatchedHost, ...]
    tunnel_port: int


@dataclass(frozen=True, slots=True)
class Way:
    """One session as `near` has it: the address it sends from, the one it sends to, and its rank of the ways."""

    near: WatchedHost
    far: WatchedHost
    source: IPAddress
    target: IPAddress
    rank: int


def project(reader: Reader, _: UnitId) -> Watch:
    """Read all hosts, and where their tunnels are."""
    all_hosts = (reader.get(Host, name) for name in reader.outer(Host, "everywhere", ""))
    found = (WatchedHost(host.site_id, host.id, host.key, host.addresses) for host in all_hosts if host)
    hosts = tuple(sorted(found, key=lambda host: (host.site, host.name)))
    return Watch(hosts, controller_of(reader).tunnel_port)


def build(watch: Watch) -> Output:
    """The ports of each host, for it alone."""
    ways: dict[str, list[Way]] = {host.name: [] for host in watch.hosts}
    for way in all_ways(watch.hosts):
        ways[way.near.name].append(way)
    fragments = (_fragment(name, found, watch.tunnel_port) for name, found in ways.items() if found)
    return Output(tuple(fragments))


def all_ways(hosts: tuple[WatchedHost, ...]) -> Iterator[Way]:
    """Every session, once for each of its two ends."""
    by_place = {(host.site, host.name): host for host in hosts}
    for one, other in sorted(watching_pairs(list(by_place))):
        yield from ways_between(by_place[one], by_place[other])


def ways_between(one: WatchedHost, other: WatchedHost) -> Iterator[Way]:
    """Both ends must choose the same sessions: the best endpoints first, and a fixed order among equals."""
    choices = sorted(
        product(range(len(one.addresses)), range(len(other.addresses))), key=lambda at: (max(at), at)
    )
    same_family = [
        (one.addresses[mine], other.addresses[its])
        for mine, its in choices
        if one.addresses[mine].version == other.addresses[its].version
    ]
    for rank, (mine, its) in enumerate(same_family[:MOST_WAYS]):
        yield Way(one, other, mine, its, rank)
        yield Way(other, one, its, mine, rank)


def liveness_ofport(far_key: int, rank: int) -> int:
    """The number of the port towards a host. Keys beyond the range share numbers with earlier ones."""
    return LIVENESS_OFPORT_FIRST + far_key % _WATCHED_KEYS * MOST_WAYS + rank


def _fragment(name: str, ways: list[Way], tunnel_port: int) -> Fragment:
    """Of two hosts that share a number, the earlier one is watched."""
    chosen: dict[int, Way] = {}
    for way in ways:
        chosen.setdefault(liveness_ofport(way.far.key, way.rank), way)
    flows = tuple(
        rule(
            Table.CLASSIFY,
            _DROP_PRIORITY,
            {Field.IN_PORT: number},
            cookie(CookieClass.HOST, way.far.key),
        )
        for number, way in chosen.items()
    )
    ports = tuple(_port(number, way, tunnel_port) for number, way in chosen.items())
    return Fragment(("liveness", name), flows, tunnel_ports=ports).to(switch_audience(name))


def _port(number: int, way: Way, tunnel_port: int) -> TunnelPort:
    """Where the host has a choice of source addresses the session has its own; where it has none it is left to the
    host, whose endpoint may be the outside of an address translation."""
    choice = [address for address in way.near.addresses if address.version == way.source.version]
    options = {
        "key": str(VNI_LIVENESS),
        **({"local_ip": str(way.source)} if len(choice) > 1 else {}),
        "remote_ip": str(way.target),
        **tunnel_port_option(tunnel_port),
    }
    return TunnelPort(f"{PORT_PREFIX}{number}", "vxlan", number, tuple(options.items()), _BFD)
