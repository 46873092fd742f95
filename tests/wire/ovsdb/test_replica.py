"""Notifications of both formats keep the replica equal to the server."""

from typing import Any

import pytest
from hypothesis import given, strategies as st
from immutables import Map

from overlace.wire.errors import MalformedError
from overlace.wire.ovsdb.replica import Replica, Row, RowChange, apply_difference
from overlace.wire.ovsdb.schema import Column, ColumnKind, DatabaseSchema, parse_schema
from overlace.wire.ovsdb.values import Atom, Uuid

MANY: dict[str, Any] = {"key": "string", "min": 0, "max": "unlimited"}
SCHEMA = parse_schema(
    {
        "name": "Toy",
        "version": "1.0.0",
        "tables": {
            "Box": {
                "columns": {
                    "name": {"type": "string"},
                    "size": {"type": {"key": "integer", "min": 0}},
                    "tags": {"type": MANY},
                    "notes": {"type": MANY | {"value": "string"}},
                    "secret": {"type": "string"},
                }
            }
        },
    }
)
A = Uuid("aaaaaaaa-0000-0000-0000-000000000000")
EMPTY = Map({"name": "", "size": None, "tags": frozenset[Atom](), "notes": Map[Atom, Atom]()})


@pytest.fixture
def replica() -> Replica:
    return Replica(SCHEMA, {"Box": ("name", "size", "tags", "notes", "from-the-future"), "Future": ("x",)})


def test_only_what_the_server_has_is_asked_for(replica: Replica) -> None:
    assert replica.monitor_requests() == {"Box": {"columns": ["name", "size", "tags", "notes"]}}


def test_given_update2_when_a_row_appears_then_omitted_columns_have_their_defaults(replica: Replica) -> None:
    row = Row("Box", A, EMPTY.set("name", "one"))

    assert replica.apply_update2({"Box": {A: {"initial": {"name": "one"}}}}) == [
        RowChange("Box", A, None, row)
    ]
    assert replica.rows("Box") == {A: row}


def test_given_update2_when_a_row_changes_then_differences_are_applied(replica: Replica) -> None:
    tags = ["set", ["keep", "drop"]]
    notes = ["map", [["same", "1"], ["changed", "1"], ["gone", "1"]]]
    replica.apply_update2({"Box": {A: {"insert": {"name": "one", "size": 1, "tags": tags, "notes": notes}}}})
    before = replica.rows("Box")[A]

    modify = {
        "size": 2,
        "tags": ["set", ["drop", "new"]],
        "notes": ["map", [["changed", "2"], ["gone", "1"], ["new", "3"]]],
    }
    (change,) = replica.apply_update2({"Box": {A: {"modify": modify}}})

    assert change.before is before
    assert change.after is replica.rows("Box")[A]
    after = replica.rows("Box")[A]
    assert after["name"] == "one"
    assert after["size"] == 2
    assert after["tags"] == frozenset({"keep", "new"})
    assert after["notes"] == Map({"same": "1", "changed": "2", "new": "3"})
    assert before["size"] == 1, "rows already handed out never change"


def test_given_update2_when_an_optional_is_emptied_then_it_reads_none(replica: Replica) -> None:
    replica.apply_update2({"Box": {A: {"insert": {"size": 5}}}})
    replica.apply_update2({"Box": {A: {"modify": {"size": ["set", []]}}}})
    assert replica.rows("Box")[A]["size"] is None


@pytest.mark.parametrize("gone", [{"delete": None}, {"delete": {}}])
def test_given_update2_when_a_row_goes_then_it_is_handed_out_a_last_time(replica: Replica, gone: Any) -> None:
    replica.apply_update2({"Box": {A: {"insert": {"name": "one"}}}})
    before = replica.rows("Box")[A]

    assert replica.apply_update2({"Box": {A: gone}}) == [RowChange("Box", A, before, None)]
    assert replica.rows("Box") == {}


def test_given_update_when_rows_come_change_and_go(replica: Replica) -> None:
    whole = {"name": "one", "size": 1, "tags": "t", "notes": ["map", []]}
    (new,) = replica.apply_update({"Box": {A: {"new": whole}}})
    (changed,) = replica.apply_update({"Box": {A: {"old": {"size": 1}, "new": whole | {"size": 2}}}})
    (gone,) = replica.apply_update({"Box": {A: {"old": whole | {"size": 2}}}})

    assert new == RowChange("Box", A, None, changed.before)
    assert changed.after is not None
    assert changed.after["size"] == 2
    assert changed.after["tags"] == frozenset({"t"})
    assert gone == RowChange("Box", A, changed.after, None)


@pytest.mark.parametrize(
    "updates",
    [
        None,
        {"Other": {}},
        {"Box": []},
        {"Box": {A: 3}},
        {"Box": {A: {}}},
        {"Box": {A: {"modify": {"size": 1}}}},
        {"Box": {A: {"insert": {"secret": "s"}}}},
        {"Box": {A: {"insert": {"notes": "n"}}}},
    ],
)
def test_nonsense_is_malformed(replica: Replica, updates: Any) -> None:
    with pytest.raises(MalformedError):
        replica.apply_update2(updates)


def test_a_database_without_the_tables_gives_an_empty_replica() -> None:
    assert Replica(DatabaseSchema("D", "1", {}), {"Box": ("name",)}).monitor_requests() == {}


small_maps = st.dictionaries(st.sampled_from("abcd"), st.sampled_from("xyz"))


@given(st.frozensets(st.integers(0, 9)), st.frozensets(st.integers(0, 9)))
def test_a_set_and_its_difference_give_the_new_set(old: frozenset[Atom], new: frozenset[Atom]) -> None:
    column = Column(ColumnKind.SET, frozenset(), composite=True)
    assert apply_difference(column, old, old ^ new) == new


@given(small_maps, small_maps)
def test_a_map_and_its_difference_give_the_new_map(old: dict[str, str], new: dict[str, str]) -> None:
    column = Column(ColumnKind.MAP, Map(), composite=True)
    # As ovsdb-server(7) words it: pairs with a key of one side only, and the new pair of keys that differ.
    told = {key: value for key, value in old.items() if key not in new}
    told |= {key: value for key, value in new.items() if old.get(key) != value}

    assert apply_difference(column, Map(old), Map(told)) == Map(new)
