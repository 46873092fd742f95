"""The session and the typed rows against a real ovsdb-server."""

from typing import Any

import pytest
from immutables import Map

from overlace.wire.ovsdb import operations as op, schema_open_vswitch as vswitch
from overlace.wire.ovsdb.replica import Replica
from overlace.wire.ovsdb.session import RowsChanged, Synchronized
from overlace.wire.ovsdb.values import NamedUuid, Uuid

pytestmark = pytest.mark.switch

MAKE_BRIDGE = [
    op.insert("Interface", {"name": "br0", "type": "internal"}, NamedUuid("interface")),
    op.insert("Port", {"name": "br0", "interfaces": NamedUuid("interface")}, NamedUuid("port")),
    op.insert(
        "Bridge",
        {
            "name": "br0",
            "ports": {NamedUuid("port")},
            "fail_mode": "secure",
            "other_config": {"disable-in-band": "true"},
        },
        NamedUuid("bridge"),
    ),
    op.mutate("Open_vSwitch", (), [("bridges", "insert", {NamedUuid("bridge")})]),
]


def only(replica: Replica, table: str) -> Any:
    (row,) = replica.rows(table).values()
    return row


def test_initial_contents(database: Any) -> None:
    client = database.connect_unsynchronized(vswitch.SELECTION)

    event = client.expect(Synchronized)

    root = vswitch.read_open_vswitch(only(client.session.replica, "Open_vSwitch"))
    assert event.schema.name == "Open_vSwitch"
    assert [change.uuid for change in event.changes] == [root.uuid]
    assert root.system_id is None
    assert root.bridges == frozenset()


def test_a_bridge_made_by_one_client_is_seen_by_both(database: Any) -> None:
    maker, watcher = database.connect(vswitch.SELECTION), database.connect(vswitch.SELECTION)

    reply = maker.transact(MAKE_BRIDGE)

    assert reply.error is None
    bridge_uuid = reply.results[2].uuid
    changes = watcher.expect(RowsChanged).changes
    assert sorted(change.table for change in changes) == ["Bridge", "Interface", "Open_vSwitch", "Port"]
    for client in (maker, watcher):
        replica = client.session.replica
        bridge = vswitch.read_bridge(replica.rows("Bridge")[bridge_uuid])
        port = vswitch.read_port(only(replica, "Port"))
        interface = vswitch.read_interface(only(replica, "Interface"))
        assert (bridge.name, bridge.fail_mode) == ("br0", "secure")
        assert bridge.other_config == Map({"disable-in-band": "true"})
        assert bridge.ports == {port.uuid}
        assert port.interfaces == {interface.uuid}
        assert (interface.type, interface.ofport) == ("internal", None)


def test_differences_of_sets_maps_and_optionals(database: Any) -> None:
    client = database.connect(vswitch.SELECTION)
    client.transact(MAKE_BRIDGE)
    by_name = op.by_column("name", "br0")

    client.transact(
        [
            op.update("Interface", by_name, {"ofport": 7, "external_ids": {"iface-id": "p1", "keep": "1"}}),
            op.update("Bridge", by_name, {"protocols": {"OpenFlow13", "OpenFlow15"}}),
        ]
    )
    interface = vswitch.read_interface(only(client.session.replica, "Interface"))
    assert (interface.ofport, interface.iface_id) == (7, "p1")

    client.transact(
        [
            op.update("Interface", by_name, {"ofport": -1}),
            op.mutate("Interface", by_name, [("external_ids", "delete", {"iface-id": "p1"})]),
            op.mutate("Bridge", by_name, [("protocols", "insert", {"OpenFlow14"})]),
        ]
    )
    interface = vswitch.read_interface(only(client.session.replica, "Interface"))
    assert (interface.ofport, interface.external_ids) == (-1, Map({"keep": "1"}))

    client.transact(
        [
            op.update(
                "Interface", by_name, {"ofport": frozenset(), "external_ids": {"keep": "2", "new": "3"}}
            ),
            op.mutate("Bridge", by_name, [("protocols", "delete", {"OpenFlow13", "OpenFlow15"})]),
        ]
    )
    interface = vswitch.read_interface(only(client.session.replica, "Interface"))
    bridge = vswitch.read_bridge(only(client.session.replica, "Bridge"))
    assert (interface.ofport, interface.external_ids) == (None, Map({"keep": "2", "new": "3"}))
    assert bridge.protocols == {"OpenFlow14"}


def test_a_deleted_bridge_takes_its_ports_and_interfaces_along(database: Any) -> None:
    client = database.connect(vswitch.SELECTION)
    bridge_uuid = client.transact(MAKE_BRIDGE).results[2].uuid
    client.expect(RowsChanged)

    client.transact([op.mutate("Open_vSwitch", (), [("bridges", "delete", {bridge_uuid})])])

    gone = {change.table for change in client.expect(RowsChanged).changes if change.after is None}
    assert gone == {"Bridge", "Port", "Interface"}
    assert not client.session.replica.rows("Bridge")


def test_a_new_client_sees_the_same_as_one_that_followed_every_change(database: Any) -> None:
    follower = database.connect(vswitch.SELECTION)
    follower.transact(MAKE_BRIDGE)
    controller = op.insert("Controller", {"target": "tcp:127.0.0.1:6653"}, NamedUuid("c"))
    follower.transact(
        [controller, op.update("Bridge", op.by_column("name", "br0"), {"controller": {NamedUuid("c")}})]
    )

    newcomer = database.connect(vswitch.SELECTION)

    for table in vswitch.SELECTION:
        assert newcomer.session.replica.rows(table) == follower.session.replica.rows(table)
    seen = vswitch.read_controller(only(newcomer.session.replica, "Controller"))
    assert (seen.target, seen.is_connected) == ("tcp:127.0.0.1:6653", False)


def test_a_failing_transaction_changes_nothing_and_says_why(database: Any) -> None:
    client = database.connect(vswitch.SELECTION)
    client.transact(MAKE_BRIDGE)

    stale = op.wait("Bridge", op.by_column("name", "br0"), [{"fail_mode": "standalone"}])
    reply = client.transact([stale, op.update("Bridge", (), {"fail_mode": "standalone"})])

    assert reply.error is not None
    assert reply.error.error == "timed out"
    assert vswitch.read_bridge(only(client.session.replica, "Bridge")).fail_mode == "secure"

    reply = client.transact([op.update("Bridge", (), {"name": 3})])
    assert reply.error is not None
    assert reply.error.details


def test_select_and_dry_run(database: Any) -> None:
    client = database.connect(vswitch.SELECTION)
    reply = client.transact([*MAKE_BRIDGE, op.select("Bridge", columns=["name", "_uuid"]), op.abort()])
    assert reply.error is not None
    assert reply.error.error == "aborted"
    (row,) = reply.results[4].rows
    assert row["name"] == "br0"
    assert isinstance(row["_uuid"], Uuid)
    assert not client.session.replica.rows("Bridge")


def test_an_unknown_database_closes_the_session(database: Any) -> None:
    client = database.connect_unsynchronized({})
    client.session = type(client.session)({}, 0.0, database="Nowhere")
    with pytest.raises(AssertionError, match="refuses get_schema of Nowhere"):
        client.expect(Synchronized)
