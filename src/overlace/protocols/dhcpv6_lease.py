"""What a DHCPv6 server knows about one port, and who it is itself."""

from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network

from overlace.kit.addresses import Mac, link_local_address
from overlace.wire.dhcpv6.message import Option
from overlace.wire.dhcpv6.options import link_layer_duid

DEFAULT_LEASE_SECONDS = 86_400
"""One day: half of it, when clients renew, outlives most outages of the controller."""


@dataclass(frozen=True, slots=True)
class Server:
    """The MAC address that answers come from; identifier and address follow from it."""

    mac: Mac

    @property
    def identifier(self) -> bytes:
        """The DUID."""
        return link_layer_duid(self.mac)

    @property
    def address(self) -> IPv6Address:
        """The link-local address."""
        return link_local_address(self.mac)


@dataclass(frozen=True, slots=True)
class Lease:
    """The addresses that belong to a port (none where it makes its own), and what it shall know.

    `prefixes` are those of its link. `extra` overrides every other option.
    """

    addresses: tuple[IPv6Address, ...]
    prefixes: tuple[IPv6Network, ...]
    dns_servers: tuple[IPv6Address, ...] = ()
    extra: tuple[Option, ...] = ()
    seconds: int = DEFAULT_LEASE_SECONDS

    def is_on_link(self, address: IPv6Address) -> bool:
        """Whether an address makes sense where the port is."""
        return any(address in prefix for prefix in self.prefixes)
