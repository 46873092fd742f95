"""The tree of one index: outer key, inner key, then the values by id, all in persistent maps.

What is alone stands there without a map around it: a map of one takes more room than many a value, and in an index by
address, say, every map is of one. So under an outer key there is either a map of inner keys or one value, whose inner
key is empty; and under an inner key either a map of values or one value. No value is itself a map.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from immutables import Map

from overlace.model.declaration import InnerKey

Tree = Map[str, Any]


def inner_keys(tree: Tree, outer: str) -> Iterable[Any]:
    """The inner keys under an outer one."""
    return _level(tree, outer).keys()


def values(tree: Tree, outer: str, inner: InnerKey) -> Iterable[Any]:
    """What stands under both keys."""
    found = _level(tree, outer).get(inner, Map())
    return found.values() if isinstance(found, Map) else (found,)


def count(tree: Tree, outer: str, inner: InnerKey) -> int:
    """How many values that are."""
    found = _level(tree, outer).get(inner, Map())
    return len(found) if isinstance(found, Map) else 1


def put(tree: Tree, outer: str, inner: InnerKey, key: str, value: Any) -> Tree:
    """With a value of the id `key`."""
    level = _level(tree, outer)
    present = level.get(inner)
    if isinstance(present, Map):
        value = present.set(key, value)
    elif present is not None and present.id != key:
        value = Map({present.id: present, key: value})
    return _with_level(tree, outer, level.set(inner, value) if level else {inner: value})


def remove(tree: Tree, outer: str, inner: InnerKey, key: str) -> Tree:
    """Without the value of the id `key`, which is there."""
    level = _level(tree, outer)
    present = level[inner]
    left = present.delete(key) if isinstance(present, Map) else Map()
    if not left:
        return _with_level(tree, outer, level.delete(inner) if len(level) > 1 else {})
    return _with_level(tree, outer, level.set(inner, _alone(left)))


def build(entries: Iterable[tuple[str, InnerKey, str, Any]]) -> Tree:
    """All at once, of (outer key, inner key, id, value): putting one by one would copy tree paths each time."""
    nested: dict[str, dict[InnerKey, dict[str, Any]]] = {}
    for outer, inner, key, value in entries:
        nested.setdefault(outer, {}).setdefault(inner, {})[key] = value
    return Map(
        {
            outer: _alone_in_level({inner: _alone(bucket) for inner, bucket in level.items()})
            for outer, level in nested.items()
        }
    )


def _level(tree: Tree, outer: str) -> Map[InnerKey, Any]:
    found = tree.get(outer)
    if found is None:
        return Map()
    return found if isinstance(found, Map) else Map({"": found})


def _with_level(tree: Tree, outer: str, level: Mapping[InnerKey, Any]) -> Tree:
    return tree.set(outer, _alone_in_level(level)) if level else tree.delete(outer)


def _alone_in_level(level: Mapping[InnerKey, Any]) -> Any:
    """A level as it is kept; a bucket of several values is a map too, so only one value leaves its level."""
    if len(level) == 1 and "" in level and not isinstance(level[""], Map):
        return level[""]
    return level if isinstance(level, Map) else Map(level)


def _alone(bucket: Mapping[str, Any]) -> Any:
    """A bucket as it is kept."""
    if len(bucket) == 1:
        return next(iter(bucket.values()))
    return bucket if isinstance(bucket, Map) else Map(bucket)
