"""Given a store with a past, when its log is asked, then it says who changed what, page by page."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from overlace.kit.clock import ManualClock
from overlace.kit.revision import Revision
from overlace.model.identity import Project
from overlace.model.network import Network
from overlace.store.errors import StoreUnavailable
from overlace.store.history import LoggedRevision, LogQuestion
from overlace.store.store import Store
from overlace.store.transaction import Transaction

FRONT = Network(id="n1", project_id="red", name="front", key=1)
BACK = Network(id="n2", project_id="blue", name="back", key=2)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def store(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Store]:
    """Four revisions, a minute apart; the third renames, the fourth removes."""
    store = await Store.open(tmp_path / "overlace.db", clock)
    await store.transact(
        lambda tx: tx.put(FRONT), actor="alice", request_id="req-1", source="api from 192.0.2.7"
    )
    clock.advance(60)
    await store.transact(lambda tx: (tx.put(BACK), tx.put(Project(id="blue", name="Blue"))), actor="bob")
    clock.advance(60)
    await store.transact(lambda tx: tx.put(replace(FRONT, name="web")), actor="bob")
    clock.advance(60)
    await store.transact(lambda tx: tx.delete(Network, "n2"), actor="alice")
    yield store
    await store.close()


def _put(network: Network, tx: Transaction) -> None:
    tx.put(network)


def numbers(found: list[LoggedRevision]) -> list[int]:
    return [each.revision.number for each in found]


async def test_given_a_change_when_asked_then_who_what_when_and_from_where_are_told(store: Store) -> None:
    found = (await store.log(LogQuestion(10)))[-1]
    assert found.revision == Revision("site", 1, 1)
    assert (found.actor, found.request_id, found.source) == ("alice", "req-1", "api from 192.0.2.7")
    [change] = found.changes
    assert (change.kind, change.id, change.before) == ("network", "n1", None)
    assert change.after is not None and '"name":"front"' in change.after


async def test_given_restrictions_when_asked_then_only_what_matches_comes_newest_first(
    store: Store, clock: ManualClock
) -> None:
    start = clock.now() - timedelta(seconds=180)
    minute = timedelta(seconds=60)
    asked = {
        "all": LogQuestion(10),
        "actor": LogQuestion(10, actors=("alice", "someone")),
        "id": LogQuestion(10, about="n1"),
        "old name": LogQuestion(10, about="front"),
        "new name": LogQuestion(10, about="web"),
        "gone": LogQuestion(10, about="back"),
        "kind": LogQuestion(10, kind="project"),
        "project": LogQuestion(10, projects=("blue",)),
        "since": LogQuestion(10, since=start + 2 * minute),
        "until": LogQuestion(10, until=start + minute),
        "both": LogQuestion(10, actors=("bob",), projects=("red",)),
        "nothing": LogQuestion(10, about="n9"),
    }
    found = {word: numbers(await store.log(question)) for word, question in asked.items()}
    assert found == {
        "all": [4, 3, 2, 1],
        "actor": [4, 1],
        "id": [3, 1],
        "old name": [3, 1],
        "new name": [3],
        "gone": [4, 2],
        "kind": [2],
        "project": [4, 2],
        "since": [4, 3],
        "until": [1],
        "both": [3],
        "nothing": [],
    }
    [kind] = await store.log(asked["kind"])
    assert [each.kind for each in kind.changes] == ["project"], "of a revision only what was asked for"


async def test_given_pages_when_turned_then_nothing_is_missed_or_told_twice(store: Store) -> None:
    first = await store.log(LogQuestion(3))
    rest = await store.log(LogQuestion(3, before=first[-1].revision))
    assert (numbers(first), numbers(rest)) == ([4, 3, 2], [1])
    onward = await store.log(LogQuestion(2, after=Revision("site", 1, 1)))
    assert numbers(onward) == [2, 3], "behind a revision, the oldest first"
    assert numbers(await store.log(LogQuestion(2, after=onward[-1].revision))) == [4]
    assert await store.log(LogQuestion(2, after=Revision("site", 1, 4))) == []


async def test_given_several_lives_of_a_store_when_asked_then_the_later_is_newer(
    tmp_path: Path, clock: ManualClock
) -> None:
    for actor in ("first", "second"):
        store = await Store.open(tmp_path / "lives.db", clock)
        await store.transact(partial(_put, replace(FRONT, name=actor)), actor=actor)
        found = await store.log(LogQuestion(10))
        last = found[0].revision
        await store.close()
    assert [each.actor for each in found] == ["second", "first"]
    assert found[0].revision.epoch > found[1].revision.epoch
    store = await Store.open(tmp_path / "lives.db", clock)
    assert [each.actor for each in await store.log(LogQuestion(10, before=last))] == ["first"]
    await store.close()


async def test_given_commits_under_way_when_the_log_is_read_then_neither_waits_for_the_other(
    store: Store,
) -> None:
    networks = [replace(FRONT, id=f"m{number}") for number in range(20)]
    writes = [store.transact(partial(_put, each), actor="many") for each in networks]
    *_, found = await asyncio.gather(*writes, store.log(LogQuestion(100, actors=("alice",))))
    assert isinstance(found, list) and numbers(found) == [4, 1]
    assert len(await store.log(LogQuestion(100, actors=("many",)))) == 20


async def test_given_a_database_that_cannot_be_read_when_asked_then_it_says_so(
    store: Store, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "overlace.db")) as connection:
        connection.execute("drop table changes")
    with pytest.raises(StoreUnavailable, match="log"):
        await store.log(LogQuestion(1))
