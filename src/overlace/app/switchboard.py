"""What the southbound tells, passed on to whom it concerns."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog

from overlace.app.autoconfiguration.dhcpv4 import DHCPV4
from overlace.app.autoconfiguration.dhcpv6 import DHCPV6
from overlace.app.autoconfiguration.router_discovery import ROUTER_DISCOVERY
from overlace.app.autoconfiguration.service import Service
from overlace.app.counts import PacketCounts
from overlace.app.underlay import Underlay
from overlace.compiler.autoconfiguration import DHCPV4_REQUEST, DHCPV6_REQUEST, ROUTER_SOLICITATION
from overlace.compiler.binding import ACTIVATION, activation_in
from overlace.compiler.plan import SwitchName
from overlace.compiler.probe import PROBE
from overlace.datapath.flow import Flow
from overlace.engine.attachments import Attachments
from overlace.engine.engine import Engine
from overlace.engine.interfaces import PluggedInterface
from overlace.model.site import TransitSwitch
from overlace.model.snapshot import Snapshot
from overlace.southbound.failures import PlanFailure
from overlace.southbound.observations import HostSeen, InterfaceSeen, LivenessSeen, PortsSeen
from overlace.wire.openflow.messages import PacketIn, PacketOut

log = structlog.get_logger(__name__)

_SERVICES: Mapping[bytes, Service[Any]] = {
    DHCPV4_REQUEST: DHCPV4,
    DHCPV6_REQUEST: DHCPV6,
    ROUTER_SOLICITATION: ROUTER_DISCOVERY,
}
"""Who answers, by the userdata of the packet-in."""


class Switchboard:
    """Takes observations, acknowledgements and packet-ins. `send` and `ready` are the southbound's."""

    def __init__(
        self, snapshot: Callable[[], Snapshot], engine: Engine, attachments: Attachments, underlay: Underlay
    ) -> None:
        self._snapshot = snapshot
        self._engine = engine
        self._attachments = attachments
        self._underlay = underlay
        self.counts = PacketCounts()
        self.hosts: dict[SwitchName, HostSeen] = {}
        self.send: Callable[[SwitchName, PacketOut], object] = lambda _, __: None
        self.started: Callable[[int, SwitchName, int | None], object] = lambda _, __, ___: None
        self.complete: Callable[[SwitchName], object] = lambda _: None

    # --- observations (southbound.observations.ObservationSink)

    def interface_changed(self, interface: InterfaceSeen) -> None:
        """An interface is new or is not what it was."""
        self._attachments.interface_changed(
            PluggedInterface(
                interface.host, interface.name, interface.iface_id, interface.ofport, interface.error or ""
            )
        )

    def interface_removed(self, host: str, name: str) -> None:
        """An interface is gone."""
        self._attachments.interface_removed(host, name)
        self._underlay.liveness.gone(host, name)

    def host_changed(self, host: HostSeen) -> None:
        """A connection came or went."""
        before = self.hosts.get(host.host)
        self.hosts[host.host] = host
        self._underlay.host_changed(host)
        if host.connected_ovsdb and (before is None or not before.connected_ovsdb):
            self._attachments.host_complete(host.host)
            self.complete(host.host)
        elif not host.connected_ovsdb:
            self._attachments.host_away(host.host)

    def ports_changed(self, ports: PortsSeen) -> None:
        """A host or transit switch has told its ports; a transit switch has nothing more to tell."""
        self._engine.observed_fabric_ports(ports.switch, ports.ports)
        if self._snapshot().get(TransitSwitch, ports.switch) is not None:
            self.complete(ports.switch)

    def liveness_changed(self, liveness: LivenessSeen) -> None:
        """The way to another host came or went."""
        self._underlay.liveness_changed(liveness)

    # --- the fate of plans (southbound.events.PlanListener)

    def connected(self, switch: SwitchName, connected: bool) -> None:
        """A switch is under control, or is so no more."""
        self._engine.realisation.connected(switch, connected)

    def acknowledged(self, switch: SwitchName, sequence: int) -> None:
        """A switch holds the plan up to `sequence`."""
        self._engine.acknowledged(switch, sequence)

    def failed(self, switch: SwitchName, sequence: int, failure: PlanFailure) -> None:
        """A switch has refused a part of the plan."""
        log.error("plan refused", switch=switch, sequence=sequence, reason=str(failure))
        self._engine.realisation.failed(switch, str(failure))

    def held(self, switch: SwitchName, reason: str) -> None:
        """Nothing is written to this switch until an operator says so."""
        log.warning("switch held", switch=switch, reason=reason)
        self._engine.realisation.failed(switch, reason)

    def learned(self, switch: SwitchName, flows: Sequence[Flow]) -> None:
        """Moves that the data path made while no controller ran."""
        for found in filter(None, map(activation_in, flows)):
            self.started(found[0], switch, found[1])

    # --- packets (southbound.events.PacketListener)

    def packet_in(self, switch: SwitchName, packet: PacketIn) -> None:
        """A flow sent this packet to the controller."""
        service = _SERVICES.get(packet.userdata)
        if service is not None:
            self.counts.packets[service.name] += 1
            reply = service.answer(self._snapshot(), switch, packet, self.counts.answers[service.name])
            if reply is not None:
                self.send(switch, reply)
        elif packet.userdata == PROBE:
            self.counts.packets["probe"] += 1
            self._underlay.probe_arrived(switch, packet)
        elif packet.userdata.startswith(ACTIVATION):
            self.counts.packets["activation"] += 1
            self.started(int.from_bytes(packet.userdata[len(ACTIVATION) :], "big"), switch, None)
        else:
            self.counts.packets["other"] += 1

    # --- views (northbound.views.HostView)

    def host_alive(self, host_id: str) -> bool:
        """Whether both channels of the host are up."""
        seen = self.hosts.get(host_id)
        return seen is not None and seen.connected_ovsdb and seen.connected_openflow

    def host_heartbeat(self, host_id: str) -> datetime | None:
        """When the host was last heard."""
        seen = self.hosts.get(host_id)
        return seen.last_seen if seen is not None else None
