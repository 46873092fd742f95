"""VXLAN (RFC 7348) over one flow-based tunnel port: the VNI comes from the flow, so does the far end."""

from overlace.compiler.pipeline import NETWORK, Table
from overlace.compiler.rule import goto, rule
from overlace.datapath.actions import set_field
from overlace.datapath.fields import Field
from overlace.datapath.flow import Flow

_INNER_ETHERNET_UDP_VXLAN = 14 + 8 + 8
_OUTER_IP = {4: 20, 6: 40}


class Vxlan:
    """See `technologies.technology.Technology`."""

    name = "vxlan"

    def overhead(self, ip_version: int) -> int:
        """50 bytes over IPv4, 70 over IPv6 (RFC 7348 section 5)."""
        return _INNER_ETHERNET_UDP_VXLAN + _OUTER_IP[ip_version]

    def network_flows(self, network_key: int, segmentation_id: int, cookie: int) -> list[Flow]:
        """VNI to network key on the way in, and back on the way out."""
        vni = {Field.TUN_ID: segmentation_id}
        return [
            rule(Table.WIRE_IN, 100, vni, cookie, set_field(NETWORK, network_key), goto(Table.ARMED)),
            rule(
                Table.ENCAPSULATE,
                100,
                {NETWORK: network_key},
                cookie,
                set_field(Field.TUN_ID, segmentation_id),
                goto(Table.REMOTE),
            ),
        ]
