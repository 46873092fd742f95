"""Column types as the server's schema states them."""

import json
from pathlib import Path
from typing import Any

import pytest
from immutables import Map

from overlace.wire.errors import MalformedError
from overlace.wire.ovsdb.schema import Column, ColumnKind, parse_schema
from overlace.wire.ovsdb.values import Uuid


def column(described: Any) -> Column:
    schema = parse_schema(
        {"name": "d", "version": "1.0.0", "tables": {"T": {"columns": {"c": {"type": described}}}}}
    )
    return schema.tables["T"]["c"]


@pytest.mark.parametrize(
    ("described", "expected"),
    [
        ("string", Column(ColumnKind.SCALAR, "", composite=False)),
        ({"key": "integer"}, Column(ColumnKind.SCALAR, 0, composite=False)),
        ({"key": "string", "min": 0}, Column(ColumnKind.OPTIONAL, None, composite=False)),
        (
            {"key": {"type": "uuid"}, "min": 0, "max": "unlimited"},
            Column(ColumnKind.SET, frozenset(), composite=True),
        ),
        ({"key": "boolean", "max": 2}, Column(ColumnKind.SET, frozenset({False}), composite=True)),
        (
            {"key": "string", "value": "string", "min": 0, "max": "unlimited"},
            Column(ColumnKind.MAP, Map(), composite=True),
        ),
    ],
)
def test_kinds_and_defaults(described: Any, expected: Column) -> None:
    assert column(described) == expected


def test_a_set_of_one_reads_by_the_type_of_its_column() -> None:
    assert column({"key": "uuid", "min": 0, "max": "unlimited"}).decode(["uuid", "u"]) == frozenset(
        {Uuid("u")}
    )
    assert column({"key": "string", "min": 0}).decode("x") == "x"
    assert column({"key": "string", "min": 0}).decode(["set", []]) is None


@pytest.mark.parametrize("described", ["complex", {"min": 0}, 3, {"key": "string", "max": []}])
def test_unknown_types_are_malformed(described: Any) -> None:
    with pytest.raises(MalformedError):
        column(described)


def test_two_elements_in_an_optional_column_are_malformed() -> None:
    with pytest.raises(MalformedError, match="at most one"):
        column({"key": "string", "min": 0}).decode(["set", ["a", "b"]])


@pytest.mark.switch
def test_the_schema_that_open_vswitch_ships_is_understood() -> None:
    text = Path("/usr/share/openvswitch/vswitch.ovsschema").read_text()

    schema = parse_schema(json.loads(text))

    assert schema.name == "Open_vSwitch"
    interface = schema.tables["Interface"]
    assert interface["ofport"].kind is ColumnKind.OPTIONAL
    assert interface["options"].kind is ColumnKind.MAP
    assert schema.tables["Bridge"]["ports"].kind is ColumnKind.SET
    assert schema.tables["Bridge"]["fail_mode"].kind is ColumnKind.OPTIONAL
