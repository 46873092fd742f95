"""Python values and their OVSDB notation."""

from typing import Any

import pytest
from hypothesis import given, strategies as st
from immutables import Map

from overlace.wire.errors import MalformedError
from overlace.wire.ovsdb.values import Atom, InputValue, NamedUuid, Uuid, Value, decode_value, encode_value

atoms = (
    st.integers(-(2**60), 2**60)
    | st.text(max_size=8)
    | st.booleans()
    | st.uuids().map(lambda u: Uuid(str(u)))
)


@pytest.mark.parametrize(
    ("value", "json"),
    [
        ("br-int", "br-int"),
        (Uuid("550e8400-e29b-41d4-a716-446655440000"), ["uuid", "550e8400-e29b-41d4-a716-446655440000"]),
        (NamedUuid("row1"), ["named-uuid", "row1"]),
        (frozenset({"b", "a"}), ["set", ["a", "b"]]),
        (frozenset[Atom](), ["set", []]),
        (frozenset({NamedUuid("x")}), ["set", [["named-uuid", "x"]]]),
        ({"key": "flow"}, ["map", [["key", "flow"]]]),
        (Map({"key": Uuid("u")}), ["map", [["key", ["uuid", "u"]]]]),
    ],
)
def test_notation(value: InputValue, json: Any) -> None:
    assert encode_value(value) == json


@given(atoms | st.frozensets(atoms.filter(lambda a: isinstance(a, str))) | st.dictionaries(st.text(), atoms))
def test_round_trip(value: InputValue) -> None:
    expected: Value = Map(value) if isinstance(value, dict) else value  # type: ignore[assignment]
    assert decode_value(encode_value(value)) == expected


@pytest.mark.parametrize(
    "json", [None, [], ["set"], ["set", 3], ["map", [["a"]]], ["map", 1], ["uuid", 1], {}, ["set", [None]]]
)
def test_other_shapes_are_malformed(json: Any) -> None:
    with pytest.raises(MalformedError):
        decode_value(json)
