"""A model of the userspace connection tracker: zones, commits, states, related errors, timeouts; no NAT.

Only committed connections are remembered. A packet of none is new if it may begin one, else invalid. The switch
reassembles fragments before it tracks them; here the first fragment stands for the whole, and later
ones are given its answer.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from overlace.datapath.actions import SetField
from overlace.datapath.fields import CtState, Field, IpFrag, IpProto
from overlace.datapath.interpreter.connection_key import (
    ICMP_REQUESTS,
    ICMPV6_REQUESTS,
    ConnectionKey,
    is_error,
    key_of,
    quoted_key,
)
from overlace.datapath.interpreter.connection_state import OtherState, TcpState, Verdict, tcp_may_begin
from overlace.datapath.interpreter.conntrack import Tracked
from overlace.datapath.interpreter.packet import Packet

F = Field

_INVALID = Tracked(CtState.TRK | CtState.INV)
_NEW = Tracked(CtState.TRK | CtState.NEW)


@dataclass(slots=True)
class Connection:
    """A committed connection; `original` is the direction of the packet that was committed."""

    original: ConnectionKey
    state: TcpState | OtherState
    expires: float = 0.0
    mark: int = 0
    label: int = 0

    def write(self, action: SetField) -> None:
        """Do what an action of ct(commit,exec(...)) says."""
        if action.field is F.CT_MARK:
            self.mark = self.mark & ~action.mask | action.value
        else:
            self.label = self.label & ~action.mask | action.value


@dataclass
class ConntrackTable:
    """The connection tracker of one switch, a `ConntrackOracle`; set `now` (seconds) to let time pass."""

    now: float = 0.0
    _connections: dict[ConnectionKey, Connection] = field(default_factory=dict)
    """Each connection under the keys of both directions."""
    _first_fragments: dict[tuple[int, ...], Tracked] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Connection]:
        """The connections that have not expired."""
        for key, connection in self._connections.items():
            if key == connection.original and connection.expires > self.now:
                yield connection

    def lookup(self, zone: int, packet: Packet) -> Tracked:
        """The state of the packet; its connection advances."""
        fragment = packet[F.IP_FRAG]
        if not fragment:
            return self._track(zone, packet)
        datagram = (zone, packet[F.IPV4_SRC], packet[F.IPV4_DST], packet[F.IPV6_SRC], packet[F.IPV6_DST])
        if fragment & IpFrag.LATER:
            return self._first_fragments.get(datagram, _INVALID)
        tracked = self._first_fragments[datagram] = self._track(zone, packet)
        return tracked

    def commit(self, zone: int, packet: Packet, *, force: bool, set_fields: tuple[SetField, ...]) -> bool:
        """Remember the packet's connection, write mark and label.

        With `force`, a connection that the packet is a reply of makes room for one in the packet's own direction.
        """
        if not self._is_tracked(zone, packet):
            self._track(zone, packet)
        key = key_of(zone, packet)
        if key is None:
            return False
        connection = self._find(key)
        if connection is not None and force and connection.original != key:
            self._forget(connection)
            connection = None
        if connection is None:
            if not _may_begin(packet):
                return False
            connection = self._remember(key)
        for action in set_fields:
            connection.write(action)
        return True

    def flush(self, zone: int | None = None) -> None:
        """Forget the connections of a zone, or all (``dpctl/flush-conntrack``)."""
        self._connections = {
            key: connection
            for key, connection in self._connections.items()
            if zone is not None and key.zone != zone
        }

    def _track(self, zone: int, packet: Packet) -> Tracked:
        if is_error(packet):
            return self._related(zone, packet)
        key = key_of(zone, packet)
        if key is None:
            return _INVALID
        connection = self._find(key)
        if connection is None:
            return _NEW if _may_begin(packet) else _INVALID
        return self._advance(connection, key, packet)

    def _advance(self, connection: Connection, key: ConnectionKey, packet: Packet) -> Tracked:
        reply = key != connection.original
        verdict = connection.state.advance(packet[F.TCP_FLAGS], reply=reply)
        if verdict is Verdict.INVALID:
            return _INVALID
        if verdict is Verdict.RESTART:
            self._forget(connection)
            return _NEW
        connection.expires = self.now + connection.state.timeout
        if verdict is Verdict.NEW:
            state = CtState.TRK | CtState.NEW
        else:
            state = CtState.TRK | CtState.EST | (CtState.RPL if reply else 0)
        return Tracked(state, connection.mark, connection.label)

    def _related(self, zone: int, error: Packet) -> Tracked:
        quoted = quoted_key(zone, error)
        connection = self._find(quoted) if quoted is not None else None
        if connection is None:
            return _INVALID
        # A quoted packet of the original direction means that the error travels in the reply direction.
        direction = CtState.RPL if quoted == connection.original else 0
        return Tracked(CtState.TRK | CtState.REL | direction, connection.mark, connection.label)

    def _is_tracked(self, zone: int, packet: Packet) -> bool:
        return bool(packet[F.CT_STATE] & CtState.TRK) and packet[F.CT_ZONE] == zone

    def _find(self, key: ConnectionKey) -> Connection | None:
        connection = self._connections.get(key)
        if connection is not None and connection.expires <= self.now:
            self._forget(connection)
            return None
        return connection

    def _remember(self, key: ConnectionKey) -> Connection:
        state = TcpState() if key.protocol == IpProto.TCP else OtherState()
        connection = Connection(key, state, self.now + state.timeout)
        self._connections[key] = self._connections[key.reverse()] = connection
        return connection

    def _forget(self, connection: Connection) -> None:
        del self._connections[connection.original]
        self._connections.pop(connection.original.reverse(), None)


def _may_begin(packet: Packet) -> bool:
    match packet[F.IP_PROTO]:
        case IpProto.TCP:
            return tcp_may_begin(packet[F.TCP_FLAGS])
        case IpProto.ICMP:
            return packet[F.ICMPV4_TYPE] in ICMP_REQUESTS
        case IpProto.ICMPV6:
            return packet[F.ICMPV6_TYPE] in ICMPV6_REQUESTS
        case _:
            return True
