"""Several switches joined by wires and tunnels: where does a packet come out?

A wire joins two ports. A tunnel port sends to whoever owns the address in tun_dst (or its fixed remote), and the
packet arrives there with the sender's address in tun_src and the same tun_id. What crosses a link is the
frame alone: registers and conntrack state stay behind. Underlay losses, MTU and time are not modelled.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address

from overlace.datapath.fields import Field
from overlace.datapath.interpreter.effects import Dropped, Effect, Sent, ToController
from overlace.datapath.interpreter.evaluate import effects, run
from overlace.datapath.interpreter.packet import Packet
from overlace.datapath.interpreter.surroundings import Surroundings
from overlace.datapath.interpreter.tables import Tables
from overlace.datapath.interpreter.trace import Trace
from overlace.datapath.prerequisites import is_data_field
from overlace.kit.addresses import IPAddress

MAX_HOPS = 32
"""Switches that one copy of a packet may cross before it counts as looping."""
MAX_COPIES = 10_000
"""Arrivals of all copies of a packet before the journey counts as a storm."""
_VNI_MASK = 0xFFFFFF
_METADATA = [f for f in Field if not is_data_field(f) and f is not Field.PACKET_TYPE]

SwitchName = str
PortPlace = tuple[SwitchName, int]
"""A port of a switch."""


@dataclass(frozen=True, slots=True)
class TunnelPort:
    """A VXLAN port. `addresses` are those of its host; without `remote` and `key` the flows choose them."""

    switch: SwitchName
    port: int
    addresses: tuple[IPAddress, ...]
    remote: IPAddress | None = None
    key: int | None = None


@dataclass(slots=True)
class Switch:
    """One switch: what it holds and what is around it; both may be exchanged at any time."""

    tables: Tables
    surroundings: Surroundings = field(default_factory=Surroundings)


@dataclass(frozen=True, slots=True)
class Hop:
    """A switch that a packet crossed: in by `in_port`, out by `out_port`."""

    switch: SwitchName
    in_port: int
    out_port: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """A frame came out of a port that leads to no other switch."""

    switch: SwitchName
    port: int
    packet: Packet
    path: tuple[Hop, ...]


@dataclass(frozen=True, slots=True)
class PacketIn:
    """A switch asked its controller."""

    switch: SwitchName
    event: ToController
    path: tuple[Hop, ...]


@dataclass(frozen=True, slots=True)
class Loss:
    """A copy ended in a switch (`dropped` says where) or on the way to one."""

    switch: SwitchName
    reason: str
    path: tuple[Hop, ...]
    dropped: Dropped | None = None


@dataclass(frozen=True, slots=True)
class Visit:
    """A passage through one switch: the packet as it arrived, and all that happened to it there."""

    switch: SwitchName
    in_port: int
    packet: Packet
    trace: Trace
    path: tuple[Hop, ...]


_Arrival = tuple[PortPlace, Packet, tuple[Hop, ...]]


@dataclass(slots=True)
class Journey:
    """All that came of one packet; `visits` only where they are recorded."""

    deliveries: list[Delivery] = field(default_factory=list)
    packet_ins: list[PacketIn] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)


class Network:
    """Switches by name, wires both ways, and tunnel ports."""

    def __init__(
        self,
        switches: Mapping[SwitchName, Switch],
        wires: Mapping[PortPlace, PortPlace] | None = None,
        tunnel_ports: Iterable[TunnelPort] = (),
    ) -> None:
        self.switches = dict(switches)
        self.wires: dict[PortPlace, PortPlace] = {}
        for one, other in (wires or {}).items():
            self.wires[one] = other
            self.wires[other] = one
        self.tunnel_ports = {(tunnel.switch, tunnel.port): tunnel for tunnel in tunnel_ports}

    def beyond(self, place: PortPlace, packet: Packet) -> "tuple[PortPlace, Packet] | str | None":
        """Where a packet sent from a port arrives, and as what; a text when it is lost, None when no one is there."""
        tunnel = self.tunnel_ports.get(place)
        if tunnel is not None:
            return self._through_tunnel(tunnel, packet)
        other = self.wires.get(place)
        return None if other is None else (other, _frame_alone(packet))

    def _through_tunnel(self, sender: TunnelPort, packet: Packet) -> tuple[PortPlace, Packet] | str:
        destination = sender.remote or _tunnel_destination(packet)
        if destination is None:
            return "no tunnel destination"
        source = next((a for a in sender.addresses if a.version == destination.version), None)
        if source is None:
            return f"no address of our own to reach {destination}"
        if destination in sender.addresses:
            return f"{destination} is our own address"
        key = sender.key if sender.key is not None else packet[Field.TUN_ID] & _VNI_MASK
        receiver = self._receiver(source, destination, key)
        if receiver is None:
            return f"nobody takes tunnel packets at {destination}"
        arriving = _frame_alone(packet)
        arriving[Field.TUN_ID] = key
        of_v4 = destination.version == 4
        arriving[Field.TUN_SRC if of_v4 else Field.TUN_IPV6_SRC] = int(source)
        arriving[Field.TUN_DST if of_v4 else Field.TUN_IPV6_DST] = int(destination)
        return (receiver.switch, receiver.port), arriving

    def _receiver(self, source: IPAddress, destination: IPAddress, key: int) -> TunnelPort | None:
        """The most specific port that takes the packet (ovs-fields(7), "Mixed models")."""
        candidates = [
            tunnel
            for tunnel in self.tunnel_ports.values()
            if destination in tunnel.addresses
            and tunnel.remote in (None, source)
            and tunnel.key in (None, key)
        ]
        return max(candidates, key=lambda t: (t.remote is not None, t.key is not None), default=None)


def deliver(network: Network, switch: SwitchName, port: int, packet: Packet) -> list[Delivery]:
    """Let a packet arrive on a port and say where frames leave the network, and by which way."""
    return follow(network, switch, port, packet).deliveries


def follow(network: Network, switch: SwitchName, port: int, packet: Packet) -> Journey:
    """The same with all else that happens: packet-ins, and what was lost where and why.

    Raises KeyError when the packet comes to a switch that the network lacks.
    """
    travel = Travel(network, switch, port, packet)
    if (lacking := travel.advance()) is not None:
        raise KeyError(lacking)
    return travel.journey


class Travel:
    """A packet under way, that can wait for switches whose contents are not known yet.

    With `recorded`, `journey.visits` tells the way through each switch as a tree.
    """

    def __init__(
        self, network: Network, switch: SwitchName, port: int, packet: Packet, *, recorded: bool = False
    ) -> None:
        self.journey = Journey()
        self._network = network
        self._recorded = recorded
        self._arrivals: deque[_Arrival] = deque([((switch, port), packet, ())])
        self._copies = 0

    def advance(self) -> SwitchName | None:
        """Go on as far as possible. Returns the switch that the network lacks, or None at the end."""
        journey = self.journey
        while self._arrivals:
            place, arriving, path = self._arrivals[0]
            if place[0] not in self._network.switches:
                return place[0]
            self._arrivals.popleft()
            self._copies += 1
            if len(path) > MAX_HOPS or self._copies > MAX_COPIES:
                journey.losses.append(Loss(place[0], "forwarding loop", path))
                if self._copies > MAX_COPIES:
                    return None
                continue
            self._cross(place, arriving, path)
        return None

    def _cross(self, place: PortPlace, packet: Packet, path: tuple[Hop, ...]) -> None:
        """Run a packet through the switch where it has arrived."""
        name, in_port = place
        for effect in self._effects(place, packet, path):
            if isinstance(effect, ToController):
                self.journey.packet_ins.append(PacketIn(name, effect, path))
            elif isinstance(effect, Dropped):
                self.journey.losses.append(Loss(name, effect.reason, path, effect))
            elif isinstance(effect, Sent):
                self._leave(effect, name, (*path, Hop(name, in_port, effect.port)))

    def _effects(self, place: PortPlace, packet: Packet, path: tuple[Hop, ...]) -> Iterable[Effect]:
        name, in_port = place
        switch = self._network.switches[name]
        if not self._recorded:
            return effects(switch.tables, packet, in_port, switch.surroundings)
        trace = run(switch.tables, packet, in_port, switch.surroundings)
        self.journey.visits.append(Visit(name, in_port, packet, trace, path))
        return trace.effects

    def _leave(self, sent: Sent, name: SwitchName, way: tuple[Hop, ...]) -> None:
        match self._network.beyond((name, sent.port), sent.packet):
            case None:
                self.journey.deliveries.append(Delivery(name, sent.port, sent.packet, way))
            case str(reason):
                self.journey.losses.append(Loss(name, reason, way))
            case other, arriving:
                self._arrivals.append((other, arriving, way))


def _tunnel_destination(packet: Packet) -> IPAddress | None:
    """IPv4 wins where both are set, as in Open vSwitch."""
    if packet[Field.TUN_DST]:
        return IPv4Address(packet[Field.TUN_DST])
    return IPv6Address(packet[Field.TUN_IPV6_DST]) if packet[Field.TUN_IPV6_DST] else None


def _frame_alone(packet: Packet) -> Packet:
    frame = packet.copy()
    frame.clear(_METADATA)
    return frame
