"""What a DHCPv4 server knows about one port, and who it is itself."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from overlace.kit.addresses import Mac
from overlace.wire.dhcpv4.named_options import ExtraOptions
from overlace.wire.dhcpv4.options import Route

DEFAULT_LEASE_SECONDS = 86_400
"""One day: half of it, when clients renew, outlives most outages of the controller."""


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """The address and MAC that answers come from, and whether requests through relays are served."""

    address: IPv4Address
    mac: Mac
    serves_relays: bool = False


@dataclass(frozen=True, slots=True)
class LeaseOffer:
    """The address that belongs to the client with `mac`, and what it shall know about its network.

    `routes` are destinations and next hops beside the default route through `router`. `extra` overrides every
    other option.
    """

    mac: Mac
    address: IPv4Address
    prefix_length: int
    router: IPv4Address | None = None
    routes: tuple[Route, ...] = ()
    dns_servers: tuple[IPv4Address, ...] = ()
    domain_name: str | None = None
    mtu: int | None = None
    lease_seconds: int = DEFAULT_LEASE_SECONDS
    hostname: str | None = None
    extra: ExtraOptions = ExtraOptions()

    @property
    def network(self) -> IPv4Network:
        """The subnet that the address is in."""
        return IPv4Interface((self.address, self.prefix_length)).network
