"""The ports of a switch that has no database: what OpenFlow says of them."""

from collections.abc import Iterable

from overlace.wire.openflow.messages import PortDescription, PortStatus

_DELETED = 1
_PORT_DOWN = 0x1
"""Bit of a port's configuration: taken down by an administrator (OpenFlow 1.5, 7.2.1.1)."""
_LINK_DOWN = 0x1
"""Bit of a port's state: no carrier (7.2.1.1)."""
_LAST_PHYSICAL = 0xFFFFFF00
"""OFPP_MAX: numbers above are reserved ports."""


class SwitchPorts:
    """The ports of one switch by number, kept up to date with its port status messages."""

    def __init__(self, ports: Iterable[PortDescription]) -> None:
        self._ports = {port.number: port for port in ports}

    def changed(self, status: PortStatus) -> None:
        """A port was added, changed or deleted."""
        if status.reason == _DELETED:
            self._ports.pop(status.port.number, None)
        else:
            self._ports[status.port.number] = status.port

    def with_carrier(self) -> dict[str, int]:
        """Name and number of the ports that can send and receive."""
        return {
            port.name: port.number
            for port in self._ports.values()
            if port.number <= _LAST_PHYSICAL and not port.config & _PORT_DOWN and not port.state & _LINK_DOWN
        }
