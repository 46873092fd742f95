"""Routes: what the transit switches hold about the hosts at one of them.

One flow for each host, whatever the number of its ports and networks. A match on the Ethernet destination and an
output are all that is asked of a transit switch, and any OpenFlow switch has them (OpenFlow 1.3, 7.2.3.7 and 5.12).
"""

from dataclasses import dataclass

from overlace.compiler.pipeline import CookieClass, Table, cookie
from overlace.compiler.plan import Fragment
from overlace.compiler.reader import Reader
from overlace.compiler.rule import rule
from overlace.compiler.technologies.fabric import attached, next_hops
from overlace.compiler.technologies.label import host_label
from overlace.compiler.unit import Memberships, Output, UnitId, UnitKind, rooted_in, switch_audience
from overlace.datapath.actions import Output as Send
from overlace.datapath.fields import Field
from overlace.datapath.flow import Flow
from overlace.model.site import TransitSwitch


@dataclass(frozen=True, slots=True)
class RoutesView:
    """`hosts`: the keys of the hosts at the switch, each with its port there (None while the switch has not told its
    ports); `ways`: the other switches that have told theirs, each with the port that leads to this one. Sorted."""

    switch: str
    hosts: tuple[tuple[int, int | None], ...]
    ways: tuple[tuple[str, int], ...]


def project(reader: Reader, unit: UnitId) -> RoutesView | None:
    """Read a transit switch, the hosts at it, and the way to it from everywhere."""
    switch = unit[0]
    if reader.get(TransitSwitch, switch) is None:
        return None
    hosts = ((host.key, _number(reader, switch, interface)) for host, interface in attached(reader, switch))
    ways = (
        (node, _number(reader, node, interface))
        for node, interface in next_hops(reader, switch).items()
        if interface is not None
    )
    return RoutesView(
        switch,
        tuple(sorted(hosts, key=lambda host: host[0])),
        tuple(sorted((node, number) for node, number in ways if number is not None)),
    )


def _number(reader: Reader, node: str, interface: str) -> int | None:
    ports = reader.fabric_ports(node)
    return None if ports is None else ports.get(interface)


def build(routes: RoutesView) -> Output:
    """A fragment for the switch itself and one for each that leads to it."""
    own = tuple(_route(key, port) for key, port in routes.hosts if port is not None)
    itself = Fragment(("transit", routes.switch, routes.switch), own)
    fragments = [itself.to(switch_audience(routes.switch))]
    for node, port in routes.ways:
        towards = tuple(_route(key, port) for key, _ in routes.hosts)
        fragments.append(Fragment(("transit", routes.switch, node), towards).to(switch_audience(node)))
    return Output(tuple(fragments), Memberships(((routes.switch, switch_audience(routes.switch)),)))


def _route(host_key: int, port: int) -> Flow:
    mark = cookie(CookieClass.TRANSIT, host_key)
    return rule(Table.CLASSIFY, 100, {Field.ETH_DST: host_label(host_key)}, mark, Send(port))


TRANSIT = UnitKind("transit", project=project, build=build, **rooted_in(TransitSwitch))
