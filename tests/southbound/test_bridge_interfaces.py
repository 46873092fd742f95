"""The interfaces of a bridge, kept up to date row by row, are always those that reading everything would find."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from overlace.southbound.bridge_interfaces import BridgeInterfaces
from overlace.southbound.database_view import SELECTION, DatabaseView, references, text
from overlace.wire.ovsdb.replica import Replica
from overlace.wire.ovsdb.schema import parse_schema
from overlace.wire.ovsdb.values import Uuid

REFERENCES: dict[str, Any] = {"key": {"type": "uuid"}, "min": 0, "max": "unlimited"}
SCHEMA = parse_schema(
    {
        "name": "Open_vSwitch",
        "version": "8.3.1",
        "tables": {
            "Open_vSwitch": {"columns": {"bridges": {"type": REFERENCES}}},
            "Bridge": {"columns": {"name": {"type": "string"}, "ports": {"type": REFERENCES}}},
            "Port": {"columns": {"name": {"type": "string"}, "interfaces": {"type": REFERENCES}}},
            "Interface": {
                "columns": {"name": {"type": "string"}, "ofport": {"type": {"key": "integer", "min": 0}}}
            },
        },
    }
)
OURS, OTHER = "br-overlace", "br-ex"
BRIDGES = st.sampled_from((OURS, OTHER))
NAMES = st.sampled_from(("tap1", "tap2", "tap3", OURS))


class Database(RuleBasedStateMachine):
    """A host's database changes, a transaction at a time."""

    @initialize()
    def begin(self) -> None:
        self.replica = Replica(SCHEMA, SELECTION)
        self.view = DatabaseView(self.replica)
        self.numbers = 0
        self.interfaces = BridgeInterfaces(self.view, OURS)
        self.before: dict[str, int] = {}

    def uuid(self) -> str:
        self.numbers += 1
        return f"{self.numbers:08x}-0000-0000-0000-000000000000"

    def transact(self, updates: dict[str, Any]) -> None:
        touched = self.interfaces.take(self.replica.apply_update2(updates))
        after = self.found()
        assert touched == {
            name for name in self.before.keys() | after.keys() if self.before.get(name) != after.get(name)
        }
        self.before = after

    def bridge(self, name: str) -> Uuid | None:
        row = self.view.bridge(name)
        return row.uuid if row else None

    def found(self) -> dict[str, int]:
        """By reading everything; the identity of the rows stands for what is in them."""
        found = {}
        row = self.view.bridge(OURS)
        for port_id in references(row, "ports") if row else ():
            port = self.replica.rows("Port")[port_id]
            for interface_id in references(port, "interfaces"):
                interface = self.replica.rows("Interface")[interface_id]
                if (name := text(interface, "name")) and name != OURS:
                    found[name] = id(interface)
        return found

    def in_use(self) -> set[object]:
        return {text(row, "name") for row in self.replica.rows("Interface").values()}

    @rule(name=BRIDGES)
    def make_bridge(self, name: str) -> None:
        if self.bridge(name) is None:
            self.transact({"Bridge": {self.uuid(): {"insert": {"name": name}}}})

    @rule(name=BRIDGES)
    def delete_bridge(self, name: str) -> None:
        if (uuid := self.bridge(name)) is None:
            return
        updates: dict[str, Any] = {"Bridge": {uuid: {"delete": None}}, "Port": {}, "Interface": {}}
        for port in references(self.replica.rows("Bridge")[uuid], "ports"):
            updates["Port"][port] = {"delete": None}
            for interface in references(self.replica.rows("Port")[port], "interfaces"):
                updates["Interface"][interface] = {"delete": None}
        self.transact(updates)

    @rule(bridge=BRIDGES, names=st.sets(NAMES, min_size=1, max_size=2))
    def plug(self, bridge: str, names: set[str]) -> None:
        """Two interfaces in one port are a bond."""
        if (uuid := self.bridge(bridge)) is None or names & self.in_use():
            return
        interfaces, port = {name: self.uuid() for name in names}, self.uuid()
        self.transact(
            {
                "Interface": {each: {"insert": {"name": name}} for name, each in interfaces.items()},
                "Port": {
                    port: {
                        "insert": {"interfaces": ["set", [["uuid", each] for each in interfaces.values()]]}
                    }
                },
                "Bridge": {uuid: {"modify": {"ports": ["uuid", port]}}},
            }
        )

    @rule(data=st.data())
    def unplug(self, data: st.DataObject) -> None:
        bridges = [row for row in self.replica.rows("Bridge").values() if list(references(row, "ports"))]
        if not bridges:
            return
        bridge = data.draw(st.sampled_from(bridges))
        port = data.draw(st.sampled_from(sorted(references(bridge, "ports"))))
        interfaces = references(self.replica.rows("Port")[port], "interfaces")
        self.transact(
            {
                "Bridge": {bridge.uuid: {"modify": {"ports": ["uuid", port]}}},
                "Port": {port: {"delete": None}},
                "Interface": {each: {"delete": None} for each in interfaces},
            }
        )

    @rule(data=st.data(), number=st.integers(1, 9))
    def number(self, data: st.DataObject, number: int) -> None:
        if rows := sorted(self.replica.rows("Interface")):
            uuid = data.draw(st.sampled_from(rows))
            self.transact({"Interface": {uuid: {"modify": {"ofport": number}}}})

    @rule(data=st.data())
    def take_one_out_of_a_bond(self, data: st.DataObject) -> None:
        bonds = [
            row for row in self.replica.rows("Port").values() if len(list(references(row, "interfaces"))) > 1
        ]
        if bonds:
            port = data.draw(st.sampled_from(bonds))
            gone = data.draw(st.sampled_from(sorted(references(port, "interfaces"))))
            self.transact(
                {
                    "Port": {port.uuid: {"modify": {"interfaces": ["uuid", gone]}}},
                    "Interface": {gone: {"delete": None}},
                }
            )

    @invariant()
    def all_are_known(self) -> None:
        if hasattr(self, "interfaces"):
            assert {name: id(each.row) for name, each in self.interfaces.by_name.items()} == self.found()


TestDatabase = Database.TestCase
