"""Snapshots share structure, and their indexes always agree with their values."""

from typing import Any

import pytest
from hypothesis import given, strategies as st

from overlace.kit.revision import Revision
from overlace.model.policy import SecurityGroup
from overlace.model.site import Host, Link
from overlace.model.snapshot import Change, Snapshot, touched_keys

EMPTY = Snapshot.empty(Revision("site", 1, 0))
IDS = st.sampled_from("abcd")
GROUPS = st.builds(
    lambda key, project, name: SecurityGroup(id=key, project_id=project, name=name),
    IDS,
    st.sampled_from(["red", "blue"]),
    st.sampled_from(["web", "db"]),
)


def test_an_older_snapshot_stays_as_it_was() -> None:
    before = EMPTY.put(Host(id="h", site_id="a"))
    after = before.without(Host, "h")
    assert before.get(Host, "h") is not None
    assert (after.get(Host, "h"), after.count(Host)) == (None, 0)


def test_a_value_may_stand_under_several_keys() -> None:
    link = Link(a_node="x", a_interface="1", b_node="y", b_interface="2")
    snapshot = EMPTY.put(link)
    assert list(snapshot.members(Link, "node", "x")) == list(snapshot.members(Link, "node", "y")) == [link]


def test_removing_what_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError):
        EMPTY.without(Host, "h")


def test_a_move_touches_where_it_was_and_where_it_is() -> None:
    before, after = Host(id="h", site_id="a"), Host(id="h", site_id="b")
    assert touched_keys(Change(Host, "h", before, after)) == {
        (Host, "h"),
        (Host, "everywhere", ""),
        (Host, "everywhere", "", "h"),
        *((Host, "site", site) for site in "ab"),
        *((Host, "site", site, "") for site in "ab"),
    }


@given(st.lists(GROUPS | IDS))
def test_indexes_follow_every_put_and_removal(steps: list[Any]) -> None:
    snapshot, expected = EMPTY, dict[str, SecurityGroup]()
    for step in steps:
        if isinstance(step, SecurityGroup):
            snapshot = snapshot.put(step)
            expected[step.id] = step
        elif step in expected:
            snapshot = snapshot.without(SecurityGroup, step)
            del expected[step]
    assert {each.id: each for each in snapshot.all(SecurityGroup)} == expected
    for project in ("red", "blue"):
        own = [each for each in expected.values() if each.project_id == project]
        assert set(snapshot.outer(SecurityGroup, "name", project)) == {each.name for each in own}
        assert snapshot.count_members(SecurityGroup, "project", project) == len(own)
        for name in ("web", "db"):
            found = {each.id for each in snapshot.members(SecurityGroup, "name", project, name)}
            assert found == {each.id for each in own if each.name == name}
