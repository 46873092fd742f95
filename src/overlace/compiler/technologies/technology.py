"""The interface of a technology: how frames of a network travel between hosts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from overlace.compiler.plan import Fragment, FragmentId, TunnelPort
from overlace.compiler.reader import Reader
from overlace.compiler.unit import UnitKind
from overlace.datapath.flow import Flow, Group, Meter
from overlace.kit.addresses import IPAddress
from overlace.model.carriage import Carriage
from overlace.model.site import Host


@dataclass(frozen=True, slots=True)
class HostView:
    """What a technology is told of a host: tunnel `addresses` best first; `fabric_ofport` None while its
    interface into the fabric is not there."""

    name: str
    key: int
    addresses: tuple[IPAddress, ...]
    fabric_ofport: int | None


@dataclass(frozen=True, slots=True)
class Part:
    """What a technology has a switch hold: flows, and what these need."""

    flows: tuple[Flow, ...] = ()
    groups: tuple[Group, ...] = ()
    meters: tuple[Meter, ...] = ()
    tunnel_ports: tuple[TunnelPort, ...] = ()


NOTHING_NEEDED = Part()


def fragment(fragment_id: FragmentId, parts: Iterable[Part], *flows: Flow) -> Fragment:
    """One fragment of what several technologies give, and of flows beside that."""
    parts = tuple(parts)
    return Fragment(
        fragment_id,
        (*flows, *(each for part in parts for each in part.flows)),
        tuple(each for part in parts for each in part.groups),
        tuple(each for part in parts for each in part.meters),
        tuple(each for part in parts for each in part.tunnel_ports),
    )


class Technology(Protocol):
    """One member. The parts of endpoint switches are placed by `base`, `network` and `host`; what transit
    switches hold comes from the technology's own kinds of units.

    Way out: ENCAPSULATE knows NETWORK and DESTINATION_HOST. Way in: the technology raises FROM_TUNNEL, sets
    SOURCE_HOST and NETWORK, and goes to ARMED with the frame as the workload sent it.
    """

    carriage: Carriage
    """Name, layer, overhead and identifiers."""
    transit: tuple[UnitKind, ...]
    """The units that make the fragments of transit switches."""

    def everywhere(self, mark: int, tunnel_port: int) -> Part:
        """What every host holds; `mark` is the cookie of its flows, here and below, `tunnel_port` the UDP port of
        tunnels."""
        ...

    def network(self, network_key: int, segmentation_id: int, mark: int) -> Part:
        """What every host of the network holds: its key to its identifier on the wire, and back."""
        ...

    def outside(self, network_key: int, segmentation_id: int, mark: int) -> Part:
        """The same for frames that came in from a physical network: they are sent with the bit `carriage.outside` in
        the identifier, and have the flag OUTSIDE wherever they arrive."""
        ...

    def host(self, host: HostView, mark: int) -> Part:
        """What every host holds about one host, itself among them: so it must not speak of local ports."""
        ...

    def own(self, host: HostView, mark: int) -> Part:
        """What one host holds about itself."""
        ...

    def obstacles(self, reader: Reader, host: Host, others: Mapping[str, Host]) -> list[str]:
        """Why a port at `host` cannot speak with all `others` (by name), for people; empty when it can."""
        ...
