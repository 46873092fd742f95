"""The interfaces of one bridge, by name, kept up to date row by row.

A host with two thousand interfaces tells of each change of one of them; reading all of them again every time would make
the cost of a plug grow with the host.
"""

from collections.abc import Iterable, Mapping

from overlace.southbound.database_view import BridgeInterface, DatabaseView, references, text
from overlace.wire.ovsdb.replica import Row, RowChange
from overlace.wire.ovsdb.values import Uuid


class BridgeInterfaces:
    """Those of the bridge called `bridge`, its local one left out."""

    def __init__(self, view: DatabaseView, bridge: str) -> None:
        self._view = view
        self._bridge = bridge
        self._ports: frozenset[Uuid] = frozenset()
        self._names: dict[Uuid, tuple[str, ...]] = {}
        """Of the interfaces that each port of the bridge brought."""
        self._interfaces: dict[Uuid, tuple[Uuid, ...]] = {}
        self._port_of: dict[Uuid, Uuid] = {}
        """The port of each interface that a port of the bridge refers to."""
        self._by_name: dict[str, BridgeInterface] = {}
        self.take(())

    @property
    def by_name(self) -> Mapping[str, BridgeInterface]:
        """All of them."""
        return self._by_name

    def take(self, changes: Iterable[RowChange]) -> set[str]:
        """The replica has changed so. Returns the names of interfaces that came, went or are not what they were."""
        present = self._view.ports(self._bridge)
        concerned = set() if present is self._ports else set(self._ports ^ present)
        for change in changes:
            if change.table == "Port":
                concerned.add(change.uuid)
            elif change.table == "Interface" and change.uuid in self._port_of:
                concerned.add(self._port_of[change.uuid])
        self._ports = present
        touched: set[str] = set()
        for port in concerned:
            touched |= self._look_at(port)
        return touched

    def _look_at(self, port: Uuid) -> set[str]:
        before = {
            name: self._by_name.pop(name) for name in self._names.pop(port, ()) if name in self._by_name
        }
        for uuid in self._interfaces.pop(port, ()):
            self._port_of.pop(uuid, None)
        row = self._view.row("Port", port) if port in self._ports else None
        after = dict(self._of_port(port, row)) if row else {}
        self._by_name |= after
        if after:
            self._names[port] = tuple(after)
        return {
            name
            for name in before.keys() | after.keys()
            if name not in before or name not in after or before[name].row is not after[name].row
        }

    def _of_port(self, port: Uuid, row: Row) -> Iterable[tuple[str, BridgeInterface]]:
        self._interfaces[port] = tuple(references(row, "interfaces"))
        for uuid in self._interfaces[port]:
            self._port_of[uuid] = port
            interface = self._view.row("Interface", uuid)
            if interface and (name := text(interface, "name")) and name != self._bridge:
                yield name, BridgeInterface(port, interface)
