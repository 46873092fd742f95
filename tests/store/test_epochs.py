"""Every start of a store begins an epoch, so that copies of it can be told apart."""

import shutil
from pathlib import Path

from tests.southbound.harness import RealClock

from overlace.kit.clock import ManualClock
from overlace.model.site import Site
from overlace.store.store import Store


async def _commit(store: Store, *names: str) -> None:
    for name in names:
        await store.transact(lambda tx, name=name: tx.put(Site(id=name)), actor="test")  # type: ignore[misc]


async def test_a_store_knows_where_its_epochs_ended(tmp_path: Path) -> None:
    clock, path = ManualClock(), tmp_path / "db"
    first = await Store.open(path, clock)
    await _commit(first, "a", "b")
    assert (first.snapshot.revision.epoch, first.ends) == (1, {})
    await first.close()

    second = await Store.open(path, clock)
    assert second.snapshot.revision.epoch == 20260101000000
    await _commit(second, "c")
    assert second.ends == {1: 2}
    await second.close()

    third = await Store.open(path, clock)  # within the same second
    assert third.snapshot.revision.epoch == 20260101000001
    assert third.ends == {1: 2, 20260101000000: 3}
    await third.close()


async def test_a_copy_that_is_started_does_not_know_what_came_after_it(tmp_path: Path) -> None:
    clock, path, copy = ManualClock(), tmp_path / "db", tmp_path / "copy"
    store = await Store.open(path, clock)
    await _commit(store, "a")
    await store.close()
    shutil.copy(path, copy)
    store = await Store.open(path, clock)
    await _commit(store, "b", "c")
    written = store.snapshot.revision
    await store.close()

    copied = await Store.open(copy, RealClock())
    await _commit(copied, "x", "y", "z")
    assert copied.snapshot.revision.number > written.number
    assert written.epoch not in {copied.snapshot.revision.epoch, *copied.ends}
    await copied.close()
