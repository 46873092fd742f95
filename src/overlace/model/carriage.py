"""The technologies that carry networks, as far as people see them: what one costs and what it numbers.

How a technology does it is the compiler's business (`compiler.technologies`); what the API must know of it to
give out MTUs and identifiers stands here, once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from overlace.model.network import NetworkType


@dataclass(frozen=True, slots=True)
class Carriage:
    """One technology. `layer` is what it carries: 2 whole Ethernet frames, 3 IP packets alone."""

    network_type: str
    """The value of ``provider:network_type`` that selects it."""
    layer: int
    overhead_ipv4: int
    """Bytes that an underlay of IPv4 must carry beyond the inner IP packet."""
    overhead_ipv6: int
    identifiers: str
    """The pool of the store from which ``provider:segmentation_id`` is taken."""
    outside: int
    """The bit of an identifier on the wire that says: this frame came in from a physical network. No network's own
    identifier has it."""


_ETHERNET, _UDP, _VXLAN, _IPV4, _IPV6, _MPLS = 14, 8, 8, 20, 40, 4

VXLAN = Carriage(
    NetworkType.VXLAN.value,
    2,
    _ETHERNET + _UDP + _VXLAN + _IPV4,
    _ETHERNET + _UDP + _VXLAN + _IPV6,
    "vni",
    1 << 23,
)
"""Frames in UDP (RFC 7348 section 5)."""

HOP_BY_HOP = Carriage(
    NetworkType.HOP_BY_HOP.value, 2, _ETHERNET + _MPLS, _ETHERNET + _MPLS, "hop_label", 1 << 19
)
"""Frames behind one MPLS label (RFC 4448 without control word); the fabric's own Ethernet header is not counted."""

CARRIAGES: Mapping[str, Carriage] = MappingProxyType(
    {each.network_type: each for each in (VXLAN, HOP_BY_HOP)}
)
