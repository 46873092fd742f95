"""The underlay's keeper: feeds liveness, warm-up and path-MTU probes with what happens, and sends what they say.

What to send, when, and what to conclude is decided in `engine` and `protocols`; here is only the wiring: which
hosts are there, which need each other, and the packet-outs.
"""

import asyncio
import secrets
from collections.abc import Callable, Iterable

import structlog

from overlace.compiler.pipeline import TUNNEL_OFPORT, VNI_PROBE, VNI_WARM_UP
from overlace.compiler.plan import SwitchName
from overlace.compiler.reach import tunnel_to
from overlace.datapath.actions import Action, Output, set_field
from overlace.datapath.fields import Field
from overlace.engine.liveness import Heard, Liveness, SilenceSink
from overlace.engine.neighbourhood import Neighbourhood, Pair
from overlace.kit.addresses import IPAddress
from overlace.kit.clock import Clock
from overlace.model.carriage import VXLAN
from overlace.model.network import Network, Segment
from overlace.model.port import Binding
from overlace.model.site import Host
from overlace.model.snapshot import Change, Snapshot
from overlace.protocols import probe_frame, warm_up
from overlace.protocols.path_mtu import Path, PathMtuProber
from overlace.protocols.warm_up import WarmUp
from overlace.southbound.observations import HostSeen, LivenessSeen
from overlace.wire.errors import MalformedError
from overlace.wire.openflow.messages import PacketIn, PacketOut

log = structlog.get_logger(__name__)

TICK_SECONDS = 0.2
PROBES_A_TICK = 10
WAYS_A_TICK = 200
"""500 hosts that all need each other are warmed in 250 s, which leaves room in the 600 s they stay warm."""
TARGETS_A_PACKET = 32
"""One packet-out warms many ways of a host."""


class Underlay:
    """Takes what switches and the store say of hosts; `run` sends."""

    def __init__(
        self,
        snapshot: Callable[[], Snapshot],
        clock: Clock,
        silences: SilenceSink,
        send: Callable[[str, PacketOut], object],
    ) -> None:
        self.liveness = Liveness(snapshot, clock, silences)
        self.prober = PathMtuProber(self.needed_size, lambda: secrets.token_bytes(probe_frame.NONCE_LENGTH))
        self._snapshot = snapshot
        self._clock = clock
        self._send = send
        self._neighbourhood = Neighbourhood()
        self._warm_up = WarmUp()
        self._present: set[SwitchName] = set()
        self._warm_up.begin(self._neighbourhood.everything(snapshot()).begun)

    async def run(self) -> None:
        """Send what is due, until cancelled."""
        while True:
            self.tick()
            await asyncio.sleep(TICK_SECONDS)

    def tick(self) -> None:
        """Let time pass."""
        self.liveness.tick()
        now = self._clock.monotonic()
        self._warm(self._warm_up.due(now, WAYS_A_TICK))
        for probe in self.prober.due(now, PROBES_A_TICK):
            address = probe.path.address
            frame = probe_frame.encode(probe.nonce, probe.size, address.version)
            self._send(probe.path.source, PacketOut(frame, _through_tunnel(VNI_PROBE, [address])))

    # --- what happens

    def committed(self, snapshot: Snapshot, changes: tuple[Change, ...]) -> None:
        """The store has a new revision. Ways that are new are warmed before anything else is done with it."""
        change = self._neighbourhood.committed(snapshot, changes)
        self._warm_up.end(change.ended)
        self._warm_up.begin(change.begun)
        self._warm(self._warm_up.due(self._clock.monotonic(), WAYS_A_TICK) if change.begun else ())
        again = set(change.begun)
        for gone in (each.id for each in changes if each.cls is Host and each.after is None):
            self._present.discard(gone)
            self.liveness.forget(gone)
        for each in changes:
            if each.cls is Network and each.before and each.after and each.before.mtu != each.after.mtu:
                again |= self._pairs_among(snapshot.outer(Binding, "place", each.id))
            elif each.cls is Host and each.before is not None and each.after is not None:
                again |= set(self._neighbourhood.pairs_of(each.id))
        self._probe(again)

    def host_changed(self, host: HostSeen) -> None:
        """A connection of a host came or went."""
        present = host.connected_openflow and host.connected_ovsdb
        if present and host.host not in self._present:
            self._present.add(host.host)
            self.liveness.host_back(host.host)
            self._warm_up.restarted(host.host)
            self._probe(self._neighbourhood.pairs_of(host.host))
        elif not present and host.host in self._present:
            self._present.discard(host.host)
            self.liveness.host_away(host.host)

    def liveness_changed(self, seen: LivenessSeen) -> None:
        """BFD has said something."""
        self.liveness.heard(
            Heard(
                seen.host,
                seen.interface,
                seen.remote,
                seen.up,
                seen.state,
                seen.remote_state,
                seen.diagnostic,
            )
        )

    def probe_arrived(self, host: SwitchName, packet: PacketIn) -> None:
        """A frame on the probes' VNI has come to a host."""
        version = 6 if packet.metadata.get(Field.TUN_IPV6_SRC) is not None else 4
        try:
            nonce, size = probe_frame.decode(packet.frame, version)
        except MalformedError as error:
            log.info("probe cannot be read", host=host, reason=str(error))
            return
        self.prober.arrived(nonce, host, size, self._clock.monotonic())

    # --- what is needed

    def needed_size(self, path: Path) -> int | None:
        """The underlay packet that the widest network between two hosts makes that VXLAN carries; None when there is
        no need."""
        if not {path.source, path.target} <= self._present:
            return None
        if path.address not in self._addresses(path.source, path.target):
            return None
        snapshot = self._snapshot()
        between = self._neighbourhood.networks_between(path.source, path.target)
        networks = (snapshot.get(Network, each) for each in between if _is_tunnelled(snapshot, each))
        widest = max((network.mtu for network in networks if network is not None), default=None)
        return None if widest is None else widest + overhead(path.address)

    # --- inside

    def _pairs_among(self, hosts: Iterable[str]) -> set[Pair]:
        names = set(hosts)
        return {(one, other) for one in names for other in names if one != other}

    def _probe(self, pairs: Iterable[Pair]) -> None:
        present = (pair for pair in pairs if set(pair) <= self._present)
        self.prober.begin((path for pair in present for path in self._paths(*pair)), self._clock.monotonic())

    def _paths(self, source: str, target: str) -> list[Path]:
        return [Path(source, target, address) for address in self._addresses(source, target)]

    def _addresses(self, source: str, target: str) -> list[IPAddress]:
        """The addresses of `target` of the families that `source` speaks."""
        here, there = self._snapshot().get(Host, source), self._snapshot().get(Host, target)
        if here is None or there is None:
            return []
        families = {address.version for address in here.addresses}
        return [address for address in there.addresses if address.version in families]

    def _warm(self, ways: Iterable[Pair]) -> None:
        targets: dict[str, list[IPAddress]] = {}
        for source, target in ways:
            if source in self._present:
                targets.setdefault(source, []).extend(self._addresses(source, target))
        for source, addresses in targets.items():
            for start in range(0, len(addresses), TARGETS_A_PACKET):
                some = addresses[start : start + TARGETS_A_PACKET]
                self._send(source, PacketOut(warm_up.FRAME, _through_tunnel(VNI_WARM_UP, some)))


def overhead(address: IPAddress) -> int:
    """Bytes that VXLAN adds on the way to this address."""
    return VXLAN.overhead_ipv4 if address.version == 4 else VXLAN.overhead_ipv6


def _is_tunnelled(snapshot: Snapshot, network_id: str) -> bool:
    segments = snapshot.members(Segment, "network", network_id)
    return any(segment.network_type == VXLAN.network_type for segment in segments)


def _through_tunnel(vni: int, addresses: Iterable[IPAddress]) -> tuple[Action, ...]:
    actions: list[Action] = [set_field(Field.TUN_ID, vni)]
    for address in addresses:
        actions += (*tunnel_to(address), Output(TUNNEL_OFPORT))
    return tuple(actions)
