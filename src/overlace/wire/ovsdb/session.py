"""One connection to an OVSDB server, sans-IO.

Theory of operation. The session asks for the schema, then monitors the selected tables (`monitor_cond`, and
plain `monitor` on servers that do not know it). Once the initial contents are in, it returns
`Synchronized`; from then on every notification gives a `RowsChanged`. Transactions may be sent at any time.
The server reports the changes of a transaction before it replies to it, so when `TransactReply` arrives the
replica already shows them.

Silence is answered with an echo request after `probe_interval` seconds and with `Closed` after as many again.
Nothing that the peer sends raises: what cannot be understood ends the session with `Closed` and the reason.

The caller owns the transport: it feeds `receive_data`, sends what `data_to_send` gives after every call,
calls `tick` at `next_deadline`, and drops the connection on `Closed`.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from overlace.wire.errors import MalformedError
from overlace.wire.ovsdb import jsonrpc
from overlace.wire.ovsdb.framing import DEFAULT_SIZE_LIMIT, JsonFramer
from overlace.wire.ovsdb.jsonrpc import Notification, Request, Response
from overlace.wire.ovsdb.operations import Operation
from overlace.wire.ovsdb.replica import Replica, RowChange, Selection
from overlace.wire.ovsdb.results import TransactReply, parse_transact_reply
from overlace.wire.ovsdb.schema import DatabaseSchema, parse_schema

DEFAULT_PROBE_INTERVAL = 5.0
"""Seconds of silence before an echo request, as Open vSwitch itself uses."""

MOST_TOLD = 32 << 20
"""Bytes of JSON that a database may fill with what is asked of it; thousands of interfaces take a tenth."""
_ROW = 500
"""What a row weighs besides its texts."""
_MONITOR_ID = "overlace"


class Synchronized(msgspec.Struct, frozen=True):
    """The replica now holds the initial contents, listed in `changes`."""

    schema: DatabaseSchema
    changes: Sequence[RowChange]


class RowsChanged(msgspec.Struct, frozen=True):
    """One notification: the rows that one transaction changed."""

    changes: Sequence[RowChange]


class Closed(msgspec.Struct, frozen=True):
    """The session is over; nothing more will be sent or understood."""

    reason: str


Event = Synchronized | RowsChanged | TransactReply | Closed
_Handler = Callable[[Response], list[Event]]


class OvsdbSession:
    """The client's end of one connection, new for every connection."""

    def __init__(
        self,
        selection: Selection,
        now: float,
        *,
        database: str = "Open_vSwitch",
        probe_interval: float = DEFAULT_PROBE_INTERVAL,
        size_limit: int = DEFAULT_SIZE_LIMIT,
    ) -> None:
        self._selection = selection
        self._database = database
        self._probe_interval = probe_interval
        self._framer = JsonFramer(size_limit)
        self._outgoing = bytearray()
        self._handlers: dict[int, _Handler] = {}
        self._last_id = 0
        self._heard = now
        self._probed = False
        self._closed: Closed | None = None
        self._told = 0
        self._schema: DatabaseSchema | None = None
        self._replica: Replica | None = None
        self._request("get_schema", [database], self._on_schema)

    @property
    def replica(self) -> Replica:
        """The copy of the database. Raises RuntimeError before `Synchronized`."""
        if self._replica is None:
            raise RuntimeError("the OVSDB session is not synchronised yet")
        return self._replica

    def transact(self, operations: Sequence[Operation]) -> int:
        """Queue a transaction; the `TransactReply` will carry the number returned here."""
        request_id = self._last_id + 1

        def handle(response: Response) -> list[Event]:
            return [parse_transact_reply(request_id, response)]

        return self._request("transact", [self._database, *operations], handle)

    def data_to_send(self) -> bytes:
        """Take the bytes that wait to be sent."""
        data = bytes(self._outgoing)
        self._outgoing.clear()
        return data

    def receive_data(self, data: bytes, now: float) -> list[Event]:
        """Take bytes from the server and return what they mean."""
        if self._closed is not None:
            return []
        self._heard = now
        self._probed = False
        events: list[Event] = []
        try:
            for text in self._framer.feed(data):
                events += self._on_message(jsonrpc.decode(text))
                self._bound(len(text))
        except MalformedError as error:
            events.append(self._close(str(error)))
        except RecursionError:
            # What the decoder just managed may still be too deep for writing it back or into a reason.
            events.append(self._close("JSON nested too deeply"))
        return events

    def next_deadline(self) -> float | None:
        """When `tick` must be called next, on the clock of `now`; None once closed."""
        if self._closed is not None:
            return None
        return self._heard + self._probe_interval * (2 if self._probed else 1)

    def tick(self, now: float) -> list[Event]:
        """Let time pass: probe a silent server, give up on one that does not answer."""
        deadline = self.next_deadline()
        if deadline is None or now < deadline:
            return []
        if self._probed:
            return [self._close(f"no answer to an echo request for {self._probe_interval:g} s")]
        # Counting the grace from now, not from the last byte heard, keeps a late tick from closing at once.
        self._heard = now - self._probe_interval
        self._probed = True
        self._request("echo", [], lambda _: [])
        return []

    def _request(self, method: str, params: Sequence[Any], handler: _Handler) -> int:
        self._last_id += 1
        self._handlers[self._last_id] = handler
        self._outgoing += jsonrpc.encode(Request(method, params, self._last_id))
        return self._last_id

    def _on_message(self, message: jsonrpc.Message) -> list[Event]:
        match message:
            case Response(int(request_id)) if request_id in self._handlers:
                return self._handlers.pop(request_id)(message)
            case Response():
                raise MalformedError(f"response to nothing that was asked: id {message.id!r:.40}")
            case Request("echo", params, request_id):
                self._outgoing += jsonrpc.encode(Response(request_id, params, None))
                return []
            case Request():
                self._outgoing += jsonrpc.encode(Response(message.id, None, "unknown method"))
                return []
            case Notification():
                return self._on_notification(message)

    def _on_notification(self, message: Notification) -> list[Event]:
        match message.method, message.params:
            case "update", [monitor, updates]:
                self._check_monitor(monitor)
                return [RowsChanged(self.replica.apply_update(updates))]
            case "update2", [monitor, updates]:
                self._check_monitor(monitor)
                return [RowsChanged(self.replica.apply_update2(updates))]
            case "monitor_canceled", _:
                raise MalformedError("the server cancelled the monitor")
        raise MalformedError(f"unexpected notification {message.method!r:.40}")

    def _bound(self, told: int) -> None:
        """Changes without end are no harm, contents without end are: weighed whenever that much was told anew."""
        self._told += told
        if self._told > MOST_TOLD // 2 and self._replica is not None:
            self._told = 0
            if self._replica.weight(_ROW) > MOST_TOLD:
                raise MalformedError(f"the database has more than {MOST_TOLD >> 20} MiB of what is monitored")

    def _check_monitor(self, monitor: Any) -> None:
        if monitor != _MONITOR_ID or self._schema is None or self._replica is None:
            raise MalformedError(f"update for a monitor that is not ours: {monitor!r:.40}")

    def _on_schema(self, response: Response) -> list[Event]:
        if response.error is not None:
            raise MalformedError(f"the server refuses get_schema of {self._database}: {response.error!r:.80}")
        self._schema = parse_schema(response.result)
        self._monitor("monitor_cond")
        return []

    def _monitor(self, method: str) -> None:
        assert self._schema is not None
        if missing := sorted(self._selection.keys() - self._schema.tables.keys()):
            raise MalformedError(f"the schema of {self._database} has no table {', '.join(missing)}")
        replica = Replica(self._schema, self._selection)

        def handle(response: Response) -> list[Event]:
            if response.error is not None:
                return self._on_monitor_refused(method, response)
            apply = replica.apply_update2 if method == "monitor_cond" else replica.apply_update
            return self._on_synchronized(replica, apply(response.result))

        self._request(method, [self._database, _MONITOR_ID, replica.monitor_requests()], handle)

    def _on_monitor_refused(self, method: str, response: Response) -> list[Event]:
        if method == "monitor":
            raise MalformedError(f"the server refuses to be monitored: {response.error!r:.80}")
        self._monitor("monitor")
        return []

    def _on_synchronized(self, replica: Replica, changes: list[RowChange]) -> list[Event]:
        assert self._schema is not None
        self._replica = replica
        return [Synchronized(self._schema, changes)]

    def _close(self, reason: str) -> Closed:
        self._closed = Closed(reason)
        self._outgoing.clear()
        self._handlers.clear()
        return self._closed
