"""VXLAN (RFC 7348) over one flow-based tunnel port: the VNI comes from the flow, so does the far end."""

from collections.abc import Mapping
from ipaddress import IPv4Address

from overlace.compiler.pipeline import (
    NETWORK,
    SOURCE_HOST,
    TUNNEL_OFPORT,
    Flag,
    Table,
)
from overlace.compiler.plan import TunnelPort
from overlace.compiler.reader import Reader
from overlace.compiler.rule import Conditions, flagged, goto, raise_flag, rule
from overlace.compiler.technologies.technology import NOTHING_NEEDED, HostView, Part
from overlace.compiler.unit import UnitKind
from overlace.datapath.actions import set_field
from overlace.datapath.fields import Field
from overlace.kit.addresses import IPAddress
from overlace.model import carriage
from overlace.model.controller import TUNNEL_PORT
from overlace.model.site import Host


class Vxlan:
    """See `technologies.technology.Technology`. The middle routes IP: no transit switch is needed."""

    carriage = carriage.VXLAN
    transit: tuple[UnitKind, ...] = ()

    def everywhere(self, mark: int, tunnel_port: int) -> Part:
        """The tunnel port, and where its packets go."""
        from_tunnel = {Field.IN_PORT: TUNNEL_OFPORT}
        admit = rule(
            Table.CLASSIFY, 100, from_tunnel, mark, raise_flag(Flag.FROM_TUNNEL), goto(Table.TUNNEL_ADMIT)
        )
        options = {"key": "flow", "remote_ip": "flow", **tunnel_port_option(tunnel_port)}
        port = TunnelPort("ovl-vxlan", "vxlan", TUNNEL_OFPORT, tuple(options.items()))
        return Part((admit,), tunnel_ports=(port,))

    def network(self, network_key: int, segmentation_id: int, mark: int) -> Part:
        """VNI to network key on the way in, and back on the way out."""
        vni = {Field.TUN_ID: segmentation_id}
        flows = (
            rule(Table.WIRE_IN, 100, vni, mark, set_field(NETWORK, network_key), goto(Table.ARMED)),
            rule(
                Table.ENCAPSULATE,
                100,
                {NETWORK: network_key},
                mark,
                set_field(Field.TUN_ID, segmentation_id),
                goto(Table.REMOTE),
            ),
        )
        return Part(flows)

    def outside(self, network_key: int, segmentation_id: int, mark: int) -> Part:
        """The VNI with its top bit."""
        vni = segmentation_id | self.carriage.outside
        into, flag = set_field(NETWORK, network_key), raise_flag(Flag.OUTSIDE)
        come_in = {NETWORK: network_key, **flagged(Flag.OUTSIDE)}
        flows = (
            rule(Table.WIRE_IN, 100, {Field.TUN_ID: vni}, mark, into, flag, goto(Table.ARMED)),
            rule(Table.ENCAPSULATE, 110, come_in, mark, set_field(Field.TUN_ID, vni), goto(Table.REMOTE)),
        )
        return Part(flows)

    def host(self, host: HostView, mark: int) -> Part:
        """Its addresses are known senders. Where it is reached depends on who asks: see `compiler.reach`."""
        known = set_field(SOURCE_HOST, host.key)
        flows = (
            rule(Table.TUNNEL_ADMIT, 100, _sender(address), mark, known, goto(Table.WIRE_IN))
            for address in host.addresses
        )
        return Part(tuple(flows))

    def own(self, host: HostView, mark: int) -> Part:  # noqa: ARG002
        """Nothing: the tunnel port has the same number everywhere."""
        return NOTHING_NEEDED

    def obstacles(self, reader: Reader, host: Host, others: Mapping[str, Host]) -> list[str]:  # noqa: ARG002
        """Hosts without a tunnel endpoint."""
        without = sorted(each.id for each in (host, *others.values()) if not each.endpoints)
        return [f"host {name} has no tunnel endpoint" for name in without]


def tunnel_port_option(tunnel_port: int) -> dict[str, str]:
    """What an interface is told of its UDP port. Nothing where it is VXLAN's own: to alter an option is to make the
    tunnel anew."""
    return {} if tunnel_port == TUNNEL_PORT else {"dst_port": str(tunnel_port)}


def _sender(address: IPAddress) -> Conditions:
    """Match tunnel packets from an underlay address."""
    return {Field.TUN_SRC if isinstance(address, IPv4Address) else Field.TUN_IPV6_SRC: address}
