"""What stands in the file is what the store said, whatever happened."""

import asyncio
import errno
import os
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from overlace.kit.clock import ManualClock
from overlace.model.network import Network
from overlace.model.site import Site
from overlace.store.engine import create_store_engine
from overlace.store.errors import InvalidValue, StoreUnavailable
from overlace.store.loader import load
from overlace.store.store import Commit, Committed, Store
from overlace.store.transaction import Transaction

NETWORK = Network(id="n", project_id="red", name="front")


def put(value: Any, tx: Transaction) -> None:
    tx.put(value)


def put_and_forget(store: Store, value: Any) -> Any:
    return store.transact(partial(put, value), actor="a")


async def test_all_that_waits_shares_one_sync(tmp_path: Path) -> None:
    path = tmp_path / "overlace.db"
    engine = create_store_engine(path)
    store = await Store.open(path, ManualClock())
    await asyncio.gather(*(put_and_forget(store, replace(NETWORK, id=f"n{i}")) for i in range(50)))
    assert store.counters.syncs == 2  # the first alone, and all that came while the disk was at it
    assert store.snapshot.revision.number == 50
    assert load(engine, "site").snapshot == store.snapshot
    engine.dispose()
    await store.close()


async def test_a_write_that_fails_has_not_happened_and_what_comes_after_it_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "overlace.db"
    store = await Store.open(path, ManualClock())
    await put_and_forget(store, NETWORK)
    before = store.snapshot
    # given a disk that is full for what is large
    writer = store._writer
    pages = writer._connected().cursor().execute("PRAGMA page_count").fetchone()[0]
    writer._connected().cursor().execute(f"PRAGMA max_page_count = {pages}")
    # when three are to be written, one of them large, then that one fails, by name, and the others do not
    large = replace(NETWORK, id="large", name="x" * 100_000)
    small, other = replace(NETWORK, name="a"), replace(NETWORK, name="b")
    attempts = [put_and_forget(store, each) for each in (small, large, other)]
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    assert [type(each) for each in outcomes] == [Committed, StoreUnavailable, Committed]
    assert "full" in str(outcomes[1])
    assert store.snapshot.get(Network, "large") is None
    assert store.snapshot.revision.number == before.revision.number + 2
    await store.close()
    # and it is so in the file
    again = await Store.open(path, ManualClock())
    assert [each.name for each in again.snapshot.all(Network)] == ["b"]
    await again.close()


async def test_a_disk_that_fails_to_sync_ends_it_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = await Store.open(tmp_path / "overlace.db", ManualClock())
    await put_and_forget(store, NETWORK)
    before = store.snapshot
    broken = asyncio.ensure_future(store.broken())  # noqa: TID251 - awaited below

    def fail(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fdatasync", fail)
    attempts = [put_and_forget(store, replace(NETWORK, name=name)) for name in "abc"]
    same_again = put_and_forget(store, replace(NETWORK, name="c"))
    outcomes = await asyncio.gather(*attempts, same_again, return_exceptions=True)
    # then nobody is told that it happened, since nobody knows
    assert [type(each) for each in outcomes] == [StoreUnavailable] * 4
    assert store.snapshot is before
    with pytest.raises(StoreUnavailable, match="Input/output error"):
        await broken
    # and nothing more is taken
    with pytest.raises(StoreUnavailable):
        await put_and_forget(store, replace(NETWORK, name="after"))
    await store.close()


async def test_a_value_that_cannot_be_kept_fails_alone(tmp_path: Path) -> None:
    store = await Store.open(tmp_path / "overlace.db", ManualClock())
    good, bad = Site(id="good"), Site(id="bad", description="\ud800")
    outcomes = await asyncio.gather(
        *(put_and_forget(store, each) for each in (good, bad)), return_exceptions=True
    )
    assert isinstance(outcomes[1], InvalidValue)
    assert list(store.snapshot.all(Site)) == [good]
    await store.close()


async def test_a_failing_listener_keeps_nobody_from_hearing(tmp_path: Path) -> None:
    store = await Store.open(tmp_path / "overlace.db", ManualClock())
    told: list[Commit] = []
    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))

    def fail(_: Commit) -> None:
        raise RuntimeError("listener")

    store.subscribe(fail)
    store.subscribe(told.append)
    await put_and_forget(store, NETWORK)
    assert (len(told), len(reported)) == (1, 1)
    await store.close()


async def test_a_closed_store_takes_nothing(tmp_path: Path) -> None:
    store = await Store.open(tmp_path / "overlace.db", ManualClock())
    await store.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        await put_and_forget(store, NETWORK)


async def test_numbers_are_the_same_after_reopening(tmp_path: Path) -> None:
    path = tmp_path / "overlace.db"
    store = await Store.open(path, ManualClock())
    held = (await store.transact(lambda tx: tx.allocate("vni"), actor="a")).result
    rests = (await store.transact(lambda tx: tx.allocate("vni"), actor="a")).result
    gone = (await store.transact(lambda tx: tx.allocate("vni"), actor="a")).result
    for number in (rests, gone):
        await store.transact(partial(Transaction.release, pool="vni", value=number), actor="a")
    await store.transact(lambda tx: tx.end_quarantine("vni", gone), actor="a")
    await store.transact(lambda tx: tx.end_quarantine("vni", held), actor="a")
    before = store.allocations
    await store.close()
    again = await Store.open(path, ManualClock())
    assert again.allocations == before
    assert (await again.transact(lambda tx: tx.allocate("vni"), actor="a")).result == gone + 1
    await again.close()


STEP = st.tuples(st.sampled_from(["put", "delete"]), st.sampled_from("abc"), st.sampled_from("xyz"))


async def _apply(path: Path, transactions: list[list[tuple[str, str, str]]]) -> None:
    store = await Store.open(path, ManualClock())
    expected: dict[str, str] = {}
    revisions = 0
    for steps in transactions:
        before = dict(expected)

        def change(tx: Transaction, steps: list[tuple[str, str, str]] = steps) -> None:
            for verb, key, text in steps:
                if verb == "put":
                    tx.put(Site(id=key, description=text))
                elif tx.get(Site, key) is not None:
                    tx.delete(Site, key)

        for verb, key, text in steps:
            expected |= {key: text} if verb == "put" else {}
            if verb == "delete":
                expected.pop(key, None)
        revisions += expected != before
        committed = await store.transact(change, actor="a")
        assert {each.id for each in committed.changes} == {
            key for key in before.keys() | expected.keys() if before.get(key) != expected.get(key)
        }
    await store.close()
    again = await Store.open(path, ManualClock())
    assert {site.id: site.description for site in again.snapshot.all(Site)} == expected
    assert again.snapshot.revision.number == revisions
    await again.close()


@given(st.lists(st.lists(STEP, max_size=5), max_size=6))
@settings(max_examples=12, deadline=None)
def test_the_store_behaves_as_a_dictionary(transactions: list[list[tuple[str, str, str]]]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(_apply(Path(directory) / "overlace.db", transactions))
