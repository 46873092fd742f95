"""A transaction reads its own writes, and tells each object's change once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from overlace.kit.revision import Revision
from overlace.model.network import Network
from overlace.model.site import Host
from overlace.model.snapshot import Change, Snapshot
from overlace.store.allocation import Allocations
from overlace.store.errors import NotFound
from overlace.store.transaction import NumberChange, Transaction

EMPTY = Snapshot.empty(Revision("site", 1, 0))
AT = datetime(2026, 1, 1, 12, 0, 0, 999, UTC)
LATER = AT + timedelta(hours=1)
NETWORK = Network(id="n", project_id="red", name="front")


def begin(snapshot: Snapshot = EMPTY, now: datetime = AT, held: Allocations | None = None) -> Transaction:
    return Transaction(snapshot, held or Allocations(), now)


def test_a_new_object_has_revision_one_and_both_times_to_the_second() -> None:
    kept = begin().put(NETWORK)
    at = AT.replace(microsecond=0)
    assert (kept.revision_number, kept.created_at, kept.updated_at) == (1, at, at)


def test_times_are_utc_whatever_the_clock_says() -> None:
    kept = begin(now=AT.astimezone(timezone(timedelta(hours=2)))).put(NETWORK)
    assert kept.created_at.isoformat() == "2026-01-01T12:00:00+00:00"


def test_a_transaction_raises_the_revision_once_however_often_it_writes() -> None:
    first = begin()
    first.put(NETWORK)
    second = begin(first.snapshot, LATER)
    for name in ("a", "b", "c"):
        second.put(replace(NETWORK, name=name))
    [change] = second.changes
    assert (change.after.name, change.after.revision_number) == ("c", 2)
    assert change.after.created_at == AT.replace(microsecond=0)
    assert change.after.updated_at == LATER.replace(microsecond=0)


def test_stamps_that_the_caller_gives_are_no_change() -> None:
    first = begin()
    kept = first.put(NETWORK)
    second = begin(first.snapshot, LATER)
    assert second.put(replace(kept, revision_number=77, updated_at=None)) is kept
    assert second.changes == ()


def test_there_and_back_is_no_change() -> None:
    first = begin()
    first.put(NETWORK)
    second = begin(first.snapshot, LATER)
    second.put(replace(NETWORK, name="other"))
    second.put(NETWORK)
    second.put(Host(id="h", site_id="a"))
    second.delete(Host, "h")
    assert second.changes == ()


def test_reads_see_writes_and_the_snapshot_before_does_not() -> None:
    transaction = begin()
    kept = transaction.put(NETWORK)
    assert transaction.get(Network, "n") == kept
    assert list(transaction.all(Network)) == transaction.members(Network, "project", "red") == [kept]
    assert transaction.count_members(Network, "project", "red") == 1
    assert transaction.changes == (Change(Network, "n", None, kept),)
    assert EMPTY.get(Network, "n") is None


def test_deleting_what_is_not_there_is_an_error() -> None:
    with pytest.raises(NotFound, match="no Network n"):
        begin().delete(Network, "n")


def test_touching_counts_once_and_a_later_write_does_not_undo_it() -> None:
    first = begin()
    kept = first.put(NETWORK)
    second = begin(first.snapshot, LATER)
    second.touch(Network, "n")
    second.touch(Network, "n")
    second.put(kept)
    [change] = second.changes
    assert (change.after.revision_number, change.after.updated_at) == (2, LATER.replace(microsecond=0))


def test_touching_what_the_transaction_made_is_part_of_making_it() -> None:
    transaction = begin()
    kept = transaction.put(NETWORK)
    transaction.touch(Network, "n")
    assert transaction.get(Network, "n") == kept
    with pytest.raises(NotFound):
        transaction.touch(Network, "other")


def test_only_numbers_whose_state_changed_are_told() -> None:
    number, held = Allocations().allocate("vni")
    transaction = begin(held=held)
    transaction.end_quarantine("vni", number)
    transaction.release("vni", 9000)
    assert not transaction.numbers
    transaction.release("vni", number)
    assert transaction.numbers == (NumberChange("vni", number, state=False),)
