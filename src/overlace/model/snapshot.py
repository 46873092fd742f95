"""The state of all intents at one revision: immutable, sharing structure with the snapshots before it.

Values stand in one persistent map per class; each declared index is a tree of such maps beside it (`index_tree`).
`put` and `without` give a new snapshot in O(log n), and leave the old one as it was.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from immutables import Map

from overlace.kit.revision import Revision
from overlace.model import index_tree
from overlace.model.declaration import RESOURCES, Entity, Index, InnerKey
from overlace.model.index_tree import Tree

V = TypeVar("V")

Key = tuple[Any, ...]
"""What a reader of a snapshot depends on: ``(class, id)``, ``(class, index, outer)`` or
``(class, index, outer, inner)``."""


@dataclass(frozen=True, slots=True)
class Change:
    """One value before and after; None stands for absent."""

    cls: type
    id: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Every value of every class at `revision`."""

    revision: Revision
    tables: Map[type, Map[str, Any]]
    indexes: Map[tuple[type, str], Tree]

    @classmethod
    def empty(cls, revision: Revision) -> "Snapshot":
        """A snapshot with nothing in it."""
        return cls(revision, Map(), Map())

    def at(self, revision: Revision) -> "Snapshot":
        """The same contents under another revision."""
        return replace(self, revision=revision)

    def get(self, cls: type[V], key: str) -> V | None:
        """The value of that class and id, or None."""
        table = self.tables.get(cls)
        return None if table is None else table.get(key)

    def all(self, cls: type[V]) -> Iterator[V]:
        """Every value of a class, in no particular order."""
        return iter(self.tables.get(cls, Map()).values())

    def ids(self, cls: type) -> Iterator[str]:
        """The id of every value of a class."""
        return iter(self.tables.get(cls, Map()).keys())

    def count(self, cls: type) -> int:
        """How many values of a class there are."""
        return len(self.tables.get(cls, ()))

    def outer(self, cls: type, index: str, outer: str) -> Iterable[str]:
        """The inner keys under `outer`."""
        return index_tree.inner_keys(self._tree(cls, index), outer)

    def members(self, cls: type[V], index: str, outer: str, inner: InnerKey = "") -> Iterator[V]:
        """The values under (`outer`, `inner`)."""
        return iter(index_tree.values(self._tree(cls, index), outer, inner))

    def count_members(self, cls: type, index: str, outer: str, inner: InnerKey = "") -> int:
        """How many values stand under (`outer`, `inner`)."""
        return index_tree.count(self._tree(cls, index), outer, inner)

    def outer_keys(self, cls: type, index: str) -> Iterable[str]:
        """All outer keys of an index."""
        return self._tree(cls, index).keys()

    def _tree(self, cls: type, index: str) -> Tree:
        return self.indexes.get((cls, index), _EMPTY)

    def put(self, value: Entity) -> "Snapshot":
        """With `value` in place of what had its class and id."""
        cls, key = type(value), value.id  # which some values make anew whenever they are asked
        table = self.tables.get(cls, Map())
        indexes = _reindex(self.indexes, cls, key, table.get(key), value)
        return Snapshot(self.revision, self.tables.set(cls, table.set(key, value)), indexes)

    def without(self, cls: type, key: str) -> "Snapshot":
        """Without the value of that class and id. Raises KeyError when there is none."""
        table = self.tables.get(cls, Map())
        indexes = _reindex(self.indexes, cls, key, table[key], None)
        return Snapshot(self.revision, self.tables.set(cls, table.delete(key)), indexes)


def touched_keys(change: Change) -> set[Key]:
    """All reader keys whose answer the change may have altered."""
    keys: set[Key] = {(change.cls, change.id)}
    for index in RESOURCES[change.cls].indexes:
        for value in (change.before, change.after):
            if value is not None:
                for outer, inner in index.keys(value):
                    keys.add((change.cls, index.name, outer))
                    keys.add((change.cls, index.name, outer, inner))
    return keys


_Indexes = Map[tuple[type, str], Tree]
_EMPTY: Tree = Map()


def _reindex(indexes: _Indexes, cls: type, key: str, before: Any, after: Any) -> _Indexes:
    for index in RESOURCES[cls].indexes:
        indexes = _reindex_one(indexes, cls, index, key, before, after)
    return indexes


def _reindex_one(indexes: _Indexes, cls: type, index: Index, key: str, before: Any, after: Any) -> _Indexes:
    old = set(index.keys(before)) if before is not None else set()
    new = set(index.keys(after)) if after is not None else set()
    known = indexes.get((cls, index.name))
    tree = _EMPTY if known is None else known
    for outer, inner in old - new:
        tree = index_tree.remove(tree, outer, inner, key)
    for outer, inner in new:
        tree = index_tree.put(tree, outer, inner, key, after)
    return indexes if tree is known else indexes.set((cls, index.name), tree)
