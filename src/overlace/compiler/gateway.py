"""Subnets: the switch answers for the gateway address, behind which DHCP is served.

A port that owns the address answers for itself; until then the address has a MAC of its own. In a network
that is bridged to a physical one the router is there, and answers for itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from overlace.compiler.physical import physical_segment
from overlace.compiler.pipeline import CookieClass, cookie
from overlace.compiler.plan import Fragment
from overlace.compiler.reader import Reader
from overlace.compiler.respond import answer
from overlace.compiler.unit import Output, UnitId, network_audience
from overlace.datapath.flow import Flow
from overlace.kit.addresses import IPAddress, Mac
from overlace.model.network import Network, Subnet
from overlace.model.port import Port

_GATEWAY_MACS = 0xFA163F << 24


@dataclass(frozen=True, slots=True)
class GatewayView:
    """A gateway address without an owner."""

    subnet_id: str
    network_id: str
    network_key: int
    address: IPAddress | None


def gateway_mac(network_key: int) -> Mac:
    """The MAC address behind which the controller serves a network."""
    return Mac(_GATEWAY_MACS | network_key & 0xFFFFFF)


def project(reader: Reader, unit: UnitId) -> GatewayView | None:
    """Read a subnet, and whether a port owns its gateway address."""
    subnet = reader.get(Subnet, unit[0])
    if subnet is None:
        return None
    network = reader.get(Network, subnet.network_id)
    address = subnet.gateway_ip
    if physical_segment(reader, subnet.network_id) is not None:
        address = None  # the router is a machine in the physical network
    elif address is not None and any(reader.members(Port, "address", subnet.network_id, address)):
        address = None
    return GatewayView(subnet.id, subnet.network_id, network.key if network is not None else 0, address)


def build(view: GatewayView) -> Output:
    """One answer, shared by the hosts of the network."""
    if view.address is None or not view.network_key:
        return Output()
    fragment = Fragment.made_of(("gateway", view.subnet_id), _flows, view)
    return Output((fragment.to(network_audience(view.network_id)),))


def _flows(view: GatewayView) -> Iterable[Flow]:
    if view.address is None:
        return ()
    mark = cookie(CookieClass.SUBNET, view.network_key)
    return (answer(view.network_key, view.address, gateway_mac(view.network_key), mark),)
