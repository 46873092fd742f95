"""The constants of the networking API that an installation may set."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from overlace.model.carriage import CARRIAGES, Carriage

_QUOTAS = {"network": 100, "subnet": 100, "port": 500, "security_group": 10, "security_group_rule": 100}


@dataclass(frozen=True, slots=True)
class NetworkingConfiguration:
    """The technologies on offer, and the limits of a project that has none of its own (-1: none)."""

    carriages: Mapping[str, Carriage] = field(default_factory=lambda: CARRIAGES)
    default_network_type: str = "vxlan"
    quotas: Mapping[str, int] = field(default_factory=lambda: MappingProxyType(_QUOTAS))
    mac_base: int = 0xFA163E000000
    """The first three octets of generated MAC addresses."""
    members_move: bool = True
    """Whether members of a project may move its machines from site to site; administrators may move all."""
    default_underlay_mtu: int = 1500
    """For networks made before any site is declared."""
