"""The database of a simulated host: as much of ovsdb-server(1) as Overlace uses, and of ovs-vswitchd behind it.

It connects to the controller as a host's ovsdb-server does, serves its schema and a monitor that tells differences
(ovsdb-server(7), 4.1.12 and 4.1.14: the "update2" of all but old servers), carries out transactions, and gives every
new interface the OpenFlow port that it asks for.
"""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

from overlace.wire.ovsdb import jsonrpc
from overlace.wire.ovsdb.framing import JsonFramer
from overlace.wire.ovsdb.jsonrpc import Notification, Request, Response

SCHEMA = Path("/usr/share/openvswitch/vswitch.ovsschema")
Row = dict[str, Any]
Touched = dict[tuple[str, str], Row | None]
"""Rows by table and key, as they were before."""


class SimulatedDatabase(asyncio.Protocol):
    """Rows stay over connections."""

    def __init__(self, host: str, bridge: str, datapath_id: int, schema: Any) -> None:
        self._schema = schema
        self._bridge = uuid4().hex
        self._rows: dict[str, dict[str, Row]] = {
            "Open_vSwitch": {
                uuid4().hex: {"external_ids": _map({"system-id": host}), "ovs_version": "3.1.0"}
            },
            "Bridge": {
                self._bridge: {"name": bridge, "datapath_id": f"{datapath_id:016x}", "ports": ["set", []]}
            },
            "Port": {},
            "Interface": {},
        }
        self._columns: dict[str, list[str]] = {}
        self._monitor: Any = None
        self._framer = JsonFramer()
        self._transport: asyncio.Transport | None = None
        self.transactions = 0

    async def connect(self, address: str, port: int, own: tuple[str, int] | None = None) -> None:
        """Connect to a controller, from an address of its own if one is given. Raises OSError."""
        self._framer, self._monitor = JsonFramer(), None
        await asyncio.get_running_loop().create_connection(lambda: self, address, port, local_addr=own)

    @property
    def connected(self) -> bool:
        """Whether there is a connection."""
        return self._transport is not None

    @property
    def monitored(self) -> bool:
        """Whether a controller follows this database."""
        return self._monitor is not None

    def plug(self, name: str, iface_id: str, ofport: int) -> None:
        """A workload's interface appears on the bridge, already numbered."""
        interface, port = uuid4().hex, uuid4().hex
        ids = _map({"iface-id": iface_id})
        self._rows["Interface"][interface] = {"name": name, "external_ids": ids, "ofport": ofport}
        self._rows["Port"][port] = {"name": name, "interfaces": _uuid(interface)}
        bridge = self._rows["Bridge"][self._bridge]
        before = dict(bridge)
        bridge["ports"] = ["set", [*_elements(bridge["ports"]), _uuid(port)]]
        self._notify({("Interface", interface): None, ("Port", port): None, ("Bridge", self._bridge): before})

    # --- asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: connected."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """asyncio: bytes have come."""
        for text in self._framer.feed(data):
            message = jsonrpc.decode(text)
            if isinstance(message, Request):
                self._answer(message)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio names it)
        """asyncio: gone."""
        self._transport = self._monitor = None

    # --- behaviour

    def _send(self, message: jsonrpc.Message) -> None:
        if self._transport is not None:
            self._transport.write(jsonrpc.encode(message))

    def _answer(self, request: Request) -> None:
        touched: Touched = {}
        match request.method:
            case "echo":
                result: Any = request.params
            case "get_schema":
                result = self._schema
            case "monitor_cond":
                _, self._monitor, wanted = request.params
                self._columns = {table: each["columns"] for table, each in wanted.items()}
                result = self._updates(
                    {(table, key): None for table in self._rows for key in self._rows[table]}
                )
            case "transact":
                self.transactions += 1
                result = self._transact(request.params[1:], touched)
            case _:
                self._send(Response(request.id, None, "unknown method"))
                return
        self._send(Response(request.id, result, None))
        self._notify(touched)

    def _notify(self, touched: Touched) -> None:
        if self._monitor is not None and touched:
            self._send(Notification("update2", [self._monitor, self._updates(touched)]))

    def _updates(self, touched: Touched) -> dict[str, Any]:
        """Rows are never deleted here."""
        updates: dict[str, Any] = {}
        for (table, key), before in touched.items():
            if table in self._columns:
                row, columns = self._rows[table][key], self._columns[table]
                shown = {name: row[name] for name in columns if name in row}
                update = {"insert": shown} if before is None else {"modify": _difference(before, shown)}
                updates.setdefault(table, {})[_dashed(key)] = update
        return updates

    def _transact(self, operations: Sequence[Any], touched: Touched) -> list[Any]:
        named: dict[str, str] = {}
        results: list[Any] = []
        for operation in operations:
            match operation["op"]:
                case "insert":
                    results.append(self._insert(operation, named, touched))
                case "mutate":
                    results.append(self._mutate(operation, named, touched))
                case _:
                    results.append({})
        return results

    def _insert(self, operation: Any, named: dict[str, str], touched: Touched) -> Any:
        key = uuid4().hex
        named[operation.get("uuid-name", "")] = key
        row = {column: _resolved(value, named) for column, value in operation["row"].items()}
        if operation["table"] == "Interface":
            row["ofport"] = row.get("ofport_request", -1)
        self._rows[operation["table"]][key] = row
        touched[operation["table"], key] = None
        return {"uuid": _uuid(key)}

    def _mutate(self, operation: Any, named: dict[str, str], touched: Touched) -> Any:
        [[_, _, target]] = operation["where"]
        key = target[1].replace("-", "")
        row = self._rows[operation["table"]][key]
        touched.setdefault((operation["table"], key), dict(row))
        for column, mutator, value in operation["mutations"]:
            row[column] = _mutated(row.get(column), mutator, _resolved(value, named))
        return {"count": 1}


def load_schema() -> Any:
    """Open vSwitch's own schema."""
    return json.loads(SCHEMA.read_text())


def _difference(before: Row, after: Row) -> Row:
    """The columns that differ, as "modify" tells them: of a set, which elements come or go; of a map, which pairs come,
    go or are replaced; else the new value. A column may be new, but does not go."""
    changed: Row = {}
    for column, now in after.items():
        then = before.get(column)
        if then == now:
            continue
        match now:
            case ["set", elements]:
                held = {tuple(each) for each in _elements(then or ["set", []])}
                changed[column] = ["set", [list(each) for each in held ^ {tuple(each) for each in elements}]]
            case ["map", pairs]:
                old, new = dict((then or ["map", []])[1]), dict(pairs)
                come = {key: value for key, value in new.items() if old.get(key) != value}
                changed[column] = _map(come | {key: old[key] for key in old.keys() - new.keys()})
            case _:
                changed[column] = now
    return changed


def _mutated(present: Any, mutator: str, value: Any) -> Any:
    if value[0] == "map" or (present or [""])[0] == "map":
        pairs = dict((present or ["map", []])[1])
        if mutator == "insert":
            return _map(dict(value[1]) | pairs)
        gone = {key if isinstance(key, str) else key[0] for key in value[1]}
        return _map({key: item for key, item in pairs.items() if key not in gone})
    elements = _elements(present or ["set", []])
    others = _elements(value)
    if mutator == "insert":
        return ["set", elements + [each for each in others if each not in elements]]
    return ["set", [each for each in elements if each not in others]]


def _elements(value: Any) -> list[Any]:
    return list(value[1]) if value[0] == "set" else [value]


def _resolved(value: Any, named: dict[str, str]) -> Any:
    if isinstance(value, list) and value:
        if value[0] == "named-uuid":
            return _uuid(named[value[1]])
        if value[0] == "set":
            return ["set", [_resolved(each, named) for each in value[1]]]
    return value


def _map(pairs: dict[str, str]) -> list[Any]:
    return ["map", [[key, value] for key, value in pairs.items()]]


def _uuid(key: str) -> list[str]:
    return ["uuid", _dashed(key)]


def _dashed(key: str) -> str:
    return f"{key[:8]}-{key[8:12]}-{key[12:16]}-{key[16:20]}-{key[20:]}"
