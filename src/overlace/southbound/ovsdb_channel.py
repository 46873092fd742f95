"""The server to which the ovsdb-servers of hosts connect (`ovs-vsctl set-manager ssl:<address>:<port>`).

The connection is theirs, the session is ours: once connected, this end is the OVSDB client. A host is known by
the name in its database and, over TLS, by its certificate; who is not expected is refused with a log line that
says why.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol

import structlog

from overlace.kit.clock import Clock
from overlace.southbound.database_view import SELECTION, DatabaseView
from overlace.southbound.expected import ExpectedSwitches, RefusedError
from overlace.southbound.host_database import HostDatabase
from overlace.southbound.outbox import Outbox
from overlace.southbound.refusals import Refusals
from overlace.southbound.shell import Channel, Shell
from overlace.wire.ovsdb.operations import Operation
from overlace.wire.ovsdb.results import TransactReply
from overlace.wire.ovsdb.session import Closed, Event, OvsdbSession, RowsChanged, Synchronized

log = structlog.get_logger(__name__)


class DatabaseOwner(Protocol):
    """Who is told about hosts' databases."""

    def database_ready(self, database: HostDatabase) -> None:
        """A host's database is connected, admitted and synchronised.

        Raises RefusedError when the host must not be served after all.
        """
        ...

    def database_changed(self, database: HostDatabase) -> None:
        """Its contents, or the fate of a transaction, changed."""
        ...

    def database_lost(self, database: HostDatabase) -> None:
        """The connection is gone."""
        ...


class DatabaseConnection(Shell[Event]):
    """One host's connection."""

    most_strangers = 16  # each may fill a message

    def __init__(
        self, clock: Clock, channel: Channel[Event], expected: ExpectedSwitches, owner: DatabaseOwner
    ) -> None:
        self._session = OvsdbSession(SELECTION, clock.monotonic())
        super().__init__(self._session, clock, channel)
        self._expected = expected
        self._owner = owner
        self._database: HostDatabase | None = None

    def read(self, data: bytes, now: float) -> Sequence[Event]:
        """Shell: bytes to the session."""
        return self._session.receive_data(data, now)

    def on_event(self, event: Event) -> None:
        """Shell: an event of the session."""
        match event:
            case Synchronized():
                self._admit()
            case RowsChanged(changes) if self._database is not None:
                self._database.rows_changed(changes)
                self._owner.database_changed(self._database)
            case TransactReply() if self._database is not None:
                self._database.replied(event)
                self._owner.database_changed(self._database)
            case Closed(reason):
                log.info("ovsdb session ended", peer=self.peer, host=self._host, reason=reason)
                self.close()

    def on_lost(self, reason: str) -> None:
        """Shell: the connection is gone."""
        if self._database is not None:
            log.info("ovsdb disconnected", host=self._host, peer=self.peer, reason=reason)
            database, self._database = self._database, None
            self._owner.database_lost(database)

    @property
    def _host(self) -> str | None:
        return self._database.host if self._database else None

    def _admit(self) -> None:
        view = DatabaseView(self._session.replica)
        try:
            host = self._expected.admit_host(view.host_name, self.common_name)
            database = HostDatabase(host, self._expected[host].bridge, view, self._transact)
            self._owner.database_ready(database)
        except RefusedError as refusal:
            log.warning("ovsdb connection refused", peer=self.peer, reason=str(refusal))
            self.refuse(str(refusal))
            return
        self._database = database
        self.admit()
        log.info("ovsdb connected", host=host, peer=self.peer, tls=self.common_name is not None)

    def _transact(self, operations: Sequence[Operation]) -> int:
        request_id = self._session.transact(operations)
        self.flush()
        return request_id


class OvsdbChannel(Channel[Event]):
    """Where hosts' databases connect."""

    def __init__(
        self,
        clock: Clock,
        tasks: asyncio.TaskGroup,
        refusals: Refusals,
        outbox: Outbox,
        expected: ExpectedSwitches,
        owner: DatabaseOwner,
    ) -> None:
        super().__init__(tasks, "ovsdb", refusals, outbox)
        self._clock = clock
        self._expected = expected
        self._owner = owner

    def connection(self) -> DatabaseConnection:
        """Channel: a new connection."""
        return DatabaseConnection(self._clock, self, self._expected, self._owner)
