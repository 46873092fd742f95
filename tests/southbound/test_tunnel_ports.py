"""What a host's database says about tunnel ports, and what there is to do or to wait for."""

from collections.abc import Mapping

import pytest
from immutables import Map

from overlace.compiler.plan import TunnelPort
from overlace.southbound.database_view import SELECTION, BridgeInterface, DatabaseView
from overlace.southbound.tunnel_ports import tunnel_port_work
from overlace.wire.ovsdb.replica import Replica, Row
from overlace.wire.ovsdb.schema import parse_schema
from overlace.wire.ovsdb.values import Uuid, Value

BRIDGE = "br-overlace"
PATCH = TunnelPort("ovl-phy1", "patch", 31001, (("peer", "ovl-phy1x"),))
NO_PEER = "No usable peer 'ovl-phy1x' exists in 'netdev' datapath."


def view() -> DatabaseView:
    """A database in which there is the bridge."""
    references = {"key": {"type": "uuid"}, "min": 0, "max": "unlimited"}
    tables = {"Bridge": {"columns": {"name": {"type": "string"}, "ports": {"type": references}}}}
    schema = parse_schema({"name": "Open_vSwitch", "version": "8.3.1", "tables": tables})
    replica = Replica(schema, SELECTION)
    replica.apply_update2({"Bridge": {"00000001-0000-0000-0000-000000000000": {"initial": {"name": BRIDGE}}}})
    return DatabaseView(replica)


def interface(**columns: Value | None) -> Mapping[str, BridgeInterface]:
    """The patch port as ovs-vswitchd tells it, on the bridge."""
    told: dict[str, Value | None] = {
        "name": PATCH.name,
        "type": "patch",
        "options": Map({"peer": "ovl-phy1x"}),
        "bfd": Map(),
        "ofport_request": 31001,
        "ofport": 31001,
        "external_ids": Map({"overlace-owned": "true"}),
        "error": None,
        **columns,
    }
    row = Row("Interface", Uuid("a"), Map(told))
    return {PATCH.name: BridgeInterface(Uuid("p"), row)}


@pytest.mark.parametrize(
    ("columns", "waiting", "problems"),
    [
        ({}, [], []),
        ({"error": NO_PEER}, [], []),
        ({"error": NO_PEER, "ofport": None}, [PATCH.name], []),
        ({"error": "could not add"}, [], ["tunnel port ovl-phy1: could not add"]),
        ({"ofport": 7}, [PATCH.name], []),
    ],
    ids=["there", "its peer was late", "its peer is late", "refused", "another number"],
)
def test_a_patch_port_is_there_once_it_has_its_number(
    columns: dict[str, Value | None], waiting: list[str], problems: list[str]
) -> None:
    work = tunnel_port_work(view(), BRIDGE, interface(**columns), {PATCH.name: PATCH})
    assert (work.operations, work.waiting, work.problems) == ([], waiting, problems)
