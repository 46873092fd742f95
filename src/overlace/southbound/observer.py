"""What hosts tell of themselves, as observations: their interfaces, their plain ports, who is connected.

A host tells of its ports in its database; a transit switch has none, and is asked over OpenFlow.
"""

import structlog

from overlace.compiler.plan import SwitchName
from overlace.southbound.database_view import Reported
from overlace.southbound.expected import ExpectedSwitches
from overlace.southbound.failures import SouthboundError
from overlace.southbound.host_database import HostDatabase
from overlace.southbound.observations import HostSeen, ObservationSink, PortsSeen
from overlace.southbound.openflow_channel import SwitchConnection
from overlace.southbound.settings import Context
from overlace.southbound.switch import Switch
from overlace.southbound.switch_ports import SwitchPorts
from overlace.wire.openflow.messages import PortDescReply, PortDescRequest, PortStatus

log = structlog.get_logger(__name__)


class Observer:
    """Of all switches; it tells the sink what is new."""

    def __init__(self, context: Context, expected: ExpectedSwitches, sink: ObservationSink) -> None:
        self._context = context
        self._expected = expected
        self._sink = sink
        self._reported: dict[SwitchName, Reported] = {}
        self._ports: dict[SwitchName, SwitchPorts] = {}

    def forget(self, name: SwitchName) -> None:
        """A switch is no longer expected."""
        self._reported.pop(name, None)
        self._ports.pop(name, None)

    def host(self, switch: Switch) -> None:
        """One of its connections came or went."""
        database, connection = switch.database, switch.connection
        self._sink.host_changed(
            HostSeen(
                host=switch.name,
                datapath_id=connection.datapath_id if connection else self._expected.datapath_of(switch.name),
                ovs_version=database.view.ovs_version if database else None,
                connected_ovsdb=database is not None,
                connected_openflow=connection is not None,
                last_seen=self._context.clock.now(),
            )
        )

    def database(self, database: HostDatabase) -> None:
        """The contents of a host's database changed, or were seen for the first time."""
        reported = self._reported.setdefault(database.host, Reported())
        told = database.news(reported)
        if told.plain_ports or (told.changed and not reported.ports_told):
            reported.ports_told = True
            self._sink.ports_changed(PortsSeen(database.host, dict(reported.plain_ports)))
        for name in told.removed:
            self._sink.interface_removed(database.host, name)
        for interface in told.changed:
            self._sink.interface_changed(interface)
        for liveness in told.liveness:
            self._sink.liveness_changed(liveness)

    async def read_ports(self, name: SwitchName, connection: SwitchConnection) -> None:
        """Ask a switch without a database for its ports; what it says of them later is kept up to date."""
        self._ports.pop(name, None)
        try:
            replies = await connection.request(PortDescRequest())
        except SouthboundError as error:
            log.warning("switch does not tell its ports", switch=name, reason=str(error))
            connection.close()
            return
        told = (port for reply in replies if isinstance(reply, PortDescReply) for port in reply.ports)
        self._ports[name] = SwitchPorts(told)
        self._tell_ports(name)

    def port_status(self, name: SwitchName, status: PortStatus) -> None:
        """A switch tells of one of its ports; of one with a database it is known already."""
        if name in self._ports:
            self._ports[name].changed(status)
            self._tell_ports(name)

    def _tell_ports(self, name: SwitchName) -> None:
        self._sink.ports_changed(PortsSeen(name, self._ports[name].with_carrier()))
