"""Operations in the notation of RFC 7047 section 5.2."""

import msgspec
import pytest

from overlace.wire.ovsdb import operations as op
from overlace.wire.ovsdb.values import NamedUuid, Uuid


@pytest.mark.parametrize(
    ("operation", "json"),
    [
        (
            op.insert("Bridge", {"name": "br0", "ports": {NamedUuid("p")}}, NamedUuid("b")),
            {
                "op": "insert",
                "table": "Bridge",
                "row": {"name": "br0", "ports": ["set", [["named-uuid", "p"]]]},
                "uuid-name": "b",
            },
        ),
        (op.insert("Port", {}), {"op": "insert", "table": "Port", "row": {}}),
        (
            op.update("Bridge", op.by_column("name", "br0"), {"fail_mode": "secure"}),
            {
                "op": "update",
                "table": "Bridge",
                "where": [["name", "==", "br0"]],
                "row": {"fail_mode": "secure"},
            },
        ),
        (
            op.mutate("Open_vSwitch", (), [("bridges", "insert", {Uuid("u")})]),
            {
                "op": "mutate",
                "table": "Open_vSwitch",
                "where": [],
                "mutations": [["bridges", "insert", ["set", [["uuid", "u"]]]]],
            },
        ),
        (
            op.delete("Port", op.by_uuid(Uuid("u"))),
            {"op": "delete", "table": "Port", "where": [["_uuid", "==", ["uuid", "u"]]]},
        ),
        (op.select("Port"), {"op": "select", "table": "Port", "where": []}),
        (
            op.select("Port", columns=["name"]),
            {"op": "select", "table": "Port", "where": [], "columns": ["name"]},
        ),
        (
            op.wait("Port", (), [{"name": "p"}], until="!="),
            {
                "op": "wait",
                "table": "Port",
                "where": [],
                "columns": ["name"],
                "until": "!=",
                "rows": [{"name": "p"}],
                "timeout": 0,
            },
        ),
        (op.comment("why"), {"op": "comment", "comment": "why"}),
        (op.assert_lock("l"), {"op": "assert", "lock": "l"}),
        (op.abort(), {"op": "abort"}),
        (op.commit(durable=True), {"op": "commit", "durable": True}),
    ],
)
def test_notation(operation: op.Operation, json: object) -> None:
    assert msgspec.json.decode(msgspec.json.encode(operation)) == json


@pytest.mark.parametrize("rows", [[], [{"a": 1}, {"b": 1}]])
def test_wait_must_know_its_columns(rows: list[op.RowInput]) -> None:
    with pytest.raises(ValueError, match="same columns"):
        op.wait("Port", (), rows)
