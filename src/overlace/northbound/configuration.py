"""The constants of the networking API that an installation may set."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Overhead:
    """Bytes that a technology adds to an inner Ethernet payload, by the family of the underlay.

    VXLAN: outer IP (20 or 40), UDP 8, VXLAN 8, inner Ethernet 14 (RFC 7348).
    """

    ipv4: int
    ipv6: int


_OVERHEADS = {"vxlan": Overhead(50, 70), "hop": Overhead(0, 0)}
_QUOTAS = {"network": 100, "subnet": 100, "port": 500, "security_group": 10, "security_group_rule": 100}


@dataclass(frozen=True, slots=True)
class NetworkingConfiguration:
    """Technologies with their overhead, and the limits of a project that has none of its own (-1: none)."""

    overheads: Mapping[str, Overhead] = field(default_factory=lambda: MappingProxyType(_OVERHEADS))
    default_network_type: str = "vxlan"
    quotas: Mapping[str, int] = field(default_factory=lambda: MappingProxyType(_QUOTAS))
    mac_base: int = 0xFA163E000000
    """The first three octets of generated MAC addresses."""
    default_underlay_mtu: int = 1500
    """For networks made before any site is declared."""
