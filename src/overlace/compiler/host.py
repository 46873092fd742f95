"""Hosts: from whom tunnels are accepted, and how each host is reached."""

from dataclasses import dataclass
from ipaddress import IPv4Address

from overlace.compiler.pipeline import DESTINATION_HOST, TUNNEL_OFPORT, CookieClass, Table, cookie
from overlace.compiler.plan import Fragment
from overlace.compiler.reader import Reader
from overlace.compiler.rule import Conditions, goto, rule
from overlace.compiler.unit import ALL_HOSTS, Output, UnitId, switch_audience
from overlace.datapath.actions import Action, Output as Send, set_field
from overlace.datapath.fields import Field
from overlace.kit.addresses import IPAddress
from overlace.model.site import Host


@dataclass(frozen=True, slots=True)
class HostView:
    """What is needed of a host: its name, its key and its tunnel addresses, best first."""

    name: str
    key: int
    addresses: tuple[IPAddress, ...]


def project(reader: Reader, unit: UnitId) -> HostView | None:
    """Read one host."""
    host = reader.get(Host, unit[0])
    if host is None:
        return None
    ordered = sorted(host.endpoints, key=lambda endpoint: endpoint.preference)
    return HostView(host.id, host.key, tuple(endpoint.address for endpoint in ordered))


def build(host: HostView) -> Output:
    """The fragment about this host that all hosts share, and the one that keeps it from tunnelling to itself."""
    mark = cookie(CookieClass.HOST, host.key)
    flows = [
        rule(Table.TUNNEL_ADMIT, 100, sender(address), mark, goto(Table.WIRE_IN))
        for address in host.addresses
    ]
    if host.addresses:
        tunnel = destination(host.addresses[0])
        flows.append(rule(Table.REMOTE, 100, {DESTINATION_HOST: host.key}, mark, tunnel, Send(TUNNEL_OFPORT)))
    itself = rule(Table.REMOTE, 200, {DESTINATION_HOST: host.key}, mark)
    return Output(
        (
            (ALL_HOSTS, Fragment(("host", host.name), tuple(flows))),
            (switch_audience(host.name), Fragment(("self", host.name), (itself,))),
        ),
        joins=((host.name, ALL_HOSTS), (host.name, switch_audience(host.name))),
    )


def sender(address: IPAddress) -> Conditions:
    """Match tunnel packets from an underlay address."""
    return {Field.TUN_SRC if isinstance(address, IPv4Address) else Field.TUN_IPV6_SRC: address}


def destination(address: IPAddress) -> Action:
    """Aim the tunnel at an underlay address."""
    field = Field.TUN_DST if isinstance(address, IPv4Address) else Field.TUN_IPV6_DST
    return set_field(field, int(address))
