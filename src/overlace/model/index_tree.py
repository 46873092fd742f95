"""The tree of one index: outer key, inner key, then the values, in persistent maps and tuples.

What is alone stands there without a map around it: a map of one takes more room than many a value, and in an index by
address, say, every map is of one. A few values are a tuple in the order of their ids, which takes a third of a map's
room; only many are a map by id. So under an inner key there is a value, a tuple or a map of values; and under an outer
key a map of inner keys or, where the only inner key is empty, the value or tuple itself. No value is itself a map or a
tuple.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import Any

from immutables import Map

from overlace.model.declaration import InnerKey

Tree = Map[str, Any]
_FEW = 64
_id = attrgetter("id")


def inner_keys(tree: Tree, outer: str) -> Iterable[Any]:
    """The inner keys under an outer one."""
    return _level(tree, outer).keys()


def values(tree: Tree, outer: str, inner: InnerKey) -> Iterable[Any]:
    """What stands under both keys."""
    found = _bucket(tree, outer, inner)
    if found is None:
        return ()
    if isinstance(found, tuple):
        return found
    return found.values() if isinstance(found, Map) else (found,)


def count(tree: Tree, outer: str, inner: InnerKey) -> int:
    """How many values that are."""
    found = _bucket(tree, outer, inner)
    if found is None:
        return 0
    return len(found) if isinstance(found, Map | tuple) else 1


def put(tree: Tree, outer: str, inner: InnerKey, key: str, value: Any) -> Tree:
    """With a value of the id `key`."""
    level = _level(tree, outer)
    bucket = _put(level.get(inner), key, value)
    return _with_level(tree, outer, level.set(inner, bucket) if level else {inner: bucket})


def remove(tree: Tree, outer: str, inner: InnerKey, key: str) -> Tree:
    """Without the value of the id `key`, which is there."""
    level = _level(tree, outer)
    left = _without(level[inner], key)
    if left is None:
        return _with_level(tree, outer, level.delete(inner) if len(level) > 1 else {})
    return _with_level(tree, outer, level.set(inner, left))


def build(entries: Iterable[tuple[str, InnerKey, str, Any]]) -> Tree:
    """All at once, of (outer key, inner key, id, value): putting one by one would copy tree paths each time."""
    nested: dict[str, dict[InnerKey, dict[str, Any]]] = {}
    for outer, inner, key, value in entries:
        nested.setdefault(outer, {}).setdefault(inner, {})[key] = value
    return Map(
        {
            outer: _alone_in_level({inner: _kept(bucket) for inner, bucket in level.items()})
            for outer, level in nested.items()
        }
    )


def _bucket(tree: Tree, outer: str, inner: InnerKey) -> Any:
    found = tree.get(outer)
    if isinstance(found, Map):
        return found.get(inner)
    return found if inner == "" else None


def _put(bucket: Any, key: str, value: Any) -> Any:
    if isinstance(bucket, Map):
        return bucket.set(key, value)
    if bucket is None:
        return value
    few = bucket if isinstance(bucket, tuple) else (bucket,)
    at = bisect_left(few, key, key=_id)
    after = at + 1 if at < len(few) and few[at].id == key else at
    few = (*few[:at], value, *few[after:])
    if len(few) > _FEW:
        return Map({each.id: each for each in few})
    return few if len(few) > 1 else value


def _without(bucket: Any, key: str) -> Any:
    """What is left; None for nothing."""
    if isinstance(bucket, Map):
        left = bucket.delete(key)
        return left if len(left) > _FEW else _kept(left)
    if not isinstance(bucket, tuple):
        return None
    at = bisect_left(bucket, key, key=_id)
    few = (*bucket[:at], *bucket[at + 1 :])
    return few if len(few) > 1 else few[0]


def _kept(bucket: Mapping[str, Any]) -> Any:
    """A bucket as it is kept."""
    if len(bucket) == 1:
        return next(iter(bucket.values()))
    if len(bucket) <= _FEW:
        return tuple([bucket[key] for key in sorted(bucket)])
    return Map(bucket)


def _level(tree: Tree, outer: str) -> Map[InnerKey, Any]:
    found = tree.get(outer)
    if found is None:
        return Map()
    return found if isinstance(found, Map) else Map({"": found})


def _with_level(tree: Tree, outer: str, level: Mapping[InnerKey, Any]) -> Tree:
    return tree.set(outer, _alone_in_level(level)) if level else tree.delete(outer)


def _alone_in_level(level: Mapping[InnerKey, Any]) -> Any:
    """A level as it is kept; a bucket of many values is a map too, so it does not leave its level."""
    if len(level) == 1 and "" in level and not isinstance(level[""], Map):
        return level[""]
    return level if isinstance(level, Map) else Map(level)
