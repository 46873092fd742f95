"""The store against plain dictionaries, over many transactions, rollbacks and reopenings."""

import asyncio
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from overlace.kit.clock import ManualClock
from overlace.model.declaration import RESOURCES, InnerKey
from overlace.model.identity import Quota
from overlace.model.policy import SecurityGroup
from overlace.model.site import Host, Link
from overlace.model.snapshot import Change
from overlace.store.errors import NumberTaken
from overlace.store.store import Commit, Store
from overlace.store.transaction import Transaction

NAMES = st.sampled_from("abc")
NUMBERS = st.integers(1, 5)
VALUES = st.one_of(
    st.builds(Host, id=NAMES, site_id=NAMES, datapath_id=st.integers(0, (1 << 64) - 1)),
    st.builds(Link, a_node=NAMES, a_interface=NAMES, b_node=NAMES, b_interface=NAMES, cost=NUMBERS),
    st.builds(Quota, project_id=NAMES, resource=NAMES, limit=st.integers(-1, 9)),
    st.builds(SecurityGroup, id=NAMES, project_id=NAMES, name=NAMES),
)
CLASSES = st.sampled_from([Host, Link, Quota, SecurityGroup])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), VALUES),
        st.tuples(st.just("delete"), CLASSES, st.integers(0, 5)),
        st.tuples(st.sampled_from(["request", "release", "end_quarantine"]), NUMBERS),
    ),
    max_size=6,
)


class Abandoned(Exception):
    """A transaction changes its mind."""


@dataclass
class Plain:
    """What the store should hold, without stamps; `numbers` says True allocated, False in quarantine."""

    values: dict[tuple[type, str], Any] = field(default_factory=dict)
    numbers: dict[int, bool] = field(default_factory=dict)

    def copy(self) -> "Plain":
        return Plain(dict(self.values), dict(self.numbers))

    def apply(self, step: Any) -> None:
        match step:
            case ("put", value):
                self.values[type(value), value.id] = value
            case ("delete", cls, nth):
                if (key := self.nth(cls, nth)) is not None:
                    del self.values[cls, key]
            case ("request", number):
                self.numbers.setdefault(number, True)
            case ("release", number):
                self.numbers |= {number: False} if number in self.numbers else {}
            case ("end_quarantine", number):
                if self.numbers.get(number) is False:
                    del self.numbers[number]

    def nth(self, cls: type, nth: int) -> str | None:
        keys = sorted(key for kind, key in self.values if kind is cls)
        return keys[nth % len(keys)] if keys else None


def _perform(tx: Transaction, steps: list[Any], plain: Plain) -> None:
    for step in steps:
        match step:
            case ("put", value):
                tx.put(value)
            case ("delete", cls, nth):
                if (key := plain.nth(cls, nth)) is not None:
                    tx.delete(cls, key)
            case ("request", number):
                try:
                    tx.request("vni", number)
                    assert number not in plain.numbers
                except NumberTaken:
                    assert number in plain.numbers
            case (verb, number):
                getattr(tx, verb)("vni", number)
        plain.apply(step)


class StoreMachine(RuleBasedStateMachine):
    """Every rule is one transaction, several at once, or a reopening."""

    def __init__(self) -> None:
        super().__init__()
        self._runner = asyncio.Runner()
        self._directory = tempfile.TemporaryDirectory()
        self._path = Path(self._directory.name) / "overlace.db"
        self._clock = ManualClock()
        self._plain = Plain()
        self._open()

    def _open(self) -> None:
        self._store = self._runner.run(Store.open(self._path, self._clock))
        self._fed = {(type(v), v.id): v for v in _all(self._store)}
        self._store.subscribe(self._hear)

    def _hear(self, commit: Commit) -> None:
        assert (
            commit.revision.number == self._store.snapshot.revision.number == commit.snapshot.revision.number
        )
        for change in commit.changes:
            self._follow(change)

    def _follow(self, change: Change) -> None:
        assert self._fed.get((change.cls, change.id)) == change.before
        assert change.before != change.after
        if change.after is None:
            del self._fed[change.cls, change.id]
        else:
            self._fed[change.cls, change.id] = change.after

    async def _together(self, transactions: list[list[Any]]) -> None:
        async with asyncio.TaskGroup() as tasks:
            for steps in transactions:
                tasks.create_task(self._one(steps))

    async def _one(self, steps: list[Any]) -> None:
        def change(tx: Transaction) -> None:
            plain = self._plain.copy()
            _perform(tx, steps, plain)
            self._plain = plain

        await self._store.transact(change, actor="machine")

    @rule(transactions=st.lists(STEPS, min_size=1, max_size=4))
    def commit(self, transactions: list[list[Any]]) -> None:
        self._clock.advance(1)
        self._runner.run(self._together(transactions))

    @rule(steps=STEPS)
    def abandon(self, steps: list[Any]) -> None:
        def change(tx: Transaction) -> None:
            _perform(tx, steps, self._plain.copy())
            raise Abandoned

        before = self._store.snapshot
        with pytest.raises(Abandoned):
            self._runner.run(self._store.transact(change, actor="machine"))
        assert self._store.snapshot is before

    @precondition(lambda self: self._store.snapshot.revision.number)
    @rule()
    def reopen(self) -> None:
        values, allocations = set(_all(self._store)), self._store.allocations
        revision = self._store.snapshot.revision
        self._runner.run(self._store.close())
        self._open()
        assert set(_all(self._store)) == values
        again = self._store.snapshot.revision
        assert (again.number, again.epoch > revision.epoch) == (revision.number, True)
        assert self._store.allocations == allocations

    @invariant()
    def holds_what_the_dictionary_holds(self) -> None:
        assert {_without_stamps(value) for value in _all(self._store)} == {
            _without_stamps(value) for value in self._plain.values.values()
        }
        held = self._store.allocations.pools.get("vni")
        states = {number: held.state(number) for number in (*held.allocated, *held.resting)} if held else {}
        assert states == self._plain.numbers

    @invariant()
    def the_feed_tells_everything(self) -> None:
        assert self._fed == {(type(value), value.id): value for value in _all(self._store)}

    @invariant()
    def indexes_are_what_recomputing_gives(self) -> None:
        snapshot = self._store.snapshot
        for cls, declared in RESOURCES.items():
            for index in declared.indexes:
                expected: dict[tuple[str, InnerKey], set[str]] = {}
                value: Any
                for value in snapshot.all(cls):
                    for pair in index.keys(value):
                        expected.setdefault(pair, set()).add(value.id)
                assert dict(_buckets(self._store, cls, index.name)) == expected

    def teardown(self) -> None:
        self._runner.run(self._store.close())
        self._runner.close()
        self._directory.cleanup()


def _all(store: Store) -> Iterator[Any]:
    for cls in RESOURCES:
        yield from store.snapshot.all(cls)


def _buckets(store: Store, cls: type[Any], index: str) -> Iterator[tuple[tuple[str, InnerKey], set[str]]]:
    snapshot = store.snapshot
    for outer in snapshot.outer_keys(cls, index):
        for inner in snapshot.outer(cls, index, outer):
            members = set(snapshot.members(cls, index, outer, inner))
            assert all(snapshot.get(cls, each.id) is each for each in members)
            yield (outer, inner), {each.id for each in members}


def _without_stamps(value: Any) -> Any:
    if not isinstance(value, SecurityGroup):
        return value
    return SecurityGroup(id=value.id, project_id=value.project_id, name=value.name)


StoreMachine.TestCase.settings = settings(max_examples=25, stateful_step_count=15, deadline=None)
TestStore = StoreMachine.TestCase
