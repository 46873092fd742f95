"""Ports read back out of a switch's flows: what a host still serves though no store may know of it any more.

The binding's flows say it all: CLASSIFY has the interface's OpenFlow port number and the network, GUARD_MAC the
MAC address and GUARD_ADDRESS the addresses. Only flows of this pipeline version are understood.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from overlace.compiler.pipeline import NETWORK, PIPELINE_VERSION, Cookie, CookieClass, Table
from overlace.datapath.actions import SetField
from overlace.datapath.fields import Field
from overlace.datapath.flow import Flow
from overlace.kit.addresses import IPAddress
from overlace.model.carriage import VXLAN


@dataclass(frozen=True, slots=True)
class FoundPort:
    """A port as its flows show it. `segmentation_id` is 0 where no wire identifier leads to its network; without
    port security there is neither MAC address (0) nor address."""

    port_key: int
    ofport: int
    network_key: int
    segmentation_id: int
    mac: int
    addresses: tuple[IPAddress, ...]


def found_ports(flows: Iterable[Flow]) -> list[FoundPort]:
    """Every port whose interface the flows know, in the order of their keys."""
    places: dict[int, tuple[int, int]] = {}
    macs: dict[int, int] = {}
    addresses: dict[int, list[IPAddress]] = {}
    wires: dict[int, int] = {}
    for flow in flows:
        parsed = Cookie.parse(flow.cookie)
        if parsed is None or parsed.version != PIPELINE_VERSION:
            continue
        if flow.table == Table.WIRE_IN and parsed.cookie_class is CookieClass.NETWORK:
            wires[_set(flow, NETWORK)] = _matched(flow, Field.TUN_ID) & ~VXLAN.outside
        if parsed.cookie_class is not CookieClass.BINDING:
            continue
        if flow.table == Table.CLASSIFY:
            places[parsed.key] = _matched(flow, Field.IN_PORT), _set(flow, NETWORK)
        elif flow.table == Table.GUARD_MAC:
            macs.setdefault(parsed.key, _matched(flow, Field.ETH_SRC))
        elif flow.table == Table.GUARD_ADDRESS:
            addresses.setdefault(parsed.key, []).extend(_sources(flow))
    return [
        FoundPort(
            key,
            ofport,
            network,
            wires.get(network, 0),
            macs.get(key, 0),
            tuple(sorted(dict.fromkeys(addresses.get(key, ())), key=lambda each: (each.version, each))),
        )
        for key, (ofport, network) in sorted(places.items())
    ]


def _sources(flow: Flow) -> Iterable[IPAddress]:
    """Addresses that it may send from, prefixes and link-local ones left out."""
    ipv4, ipv6 = flow.match.get(Field.IPV4_SRC), flow.match.get(Field.IPV6_SRC)
    if ipv4 is not None and ipv4.exact and ipv4.value:
        yield IPv4Address(ipv4.value)
    if ipv6 is not None and ipv6.exact and ipv6.value:
        address = IPv6Address(ipv6.value)
        if not address.is_link_local:
            yield address


def _matched(flow: Flow, field: Field) -> int:
    condition = flow.match.get(field)
    return 0 if condition is None else condition.value


def _set(flow: Flow, field: Field) -> int:
    for action in flow.actions:
        if isinstance(action, SetField) and action.field is field:
            return action.value
    return 0
