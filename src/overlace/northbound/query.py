"""The query of a list request: filters, fields, order and page."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from overlace.northbound.auth.caller import Caller
from overlace.northbound.conversion import KINDS
from overlace.northbound.errors import BadRequest
from overlace.northbound.schema.attributes import Perspective, Schema
from overlace.northbound.tag_filters import TAG_FILTERS, tags_match

_RESERVED = {"fields", "limit", "marker", "page_reverse", "sort_key", "sort_dir", *TAG_FILTERS}
_LONGEST_LIMIT = 18
"""Digits."""
Test = Callable[[Any], bool]


class Query:
    """A list request, checked against the schema. Raises BadRequest for an unusable order or limit."""

    def __init__(self, parameters: QueryParams, schema: Schema, seen: Perspective, caller: Caller) -> None:
        self._parameters = parameters
        self._schema = schema
        self._seen = seen
        self._caller = caller
        self.fields = [name for name in parameters.getlist("fields") if name]
        self.filters = {name: parameters.getlist(name) for name in parameters if name not in _RESERVED}
        self._order = self._sort_order()
        self._limit = self._page_limit()

    def tests(self) -> list[Test]:
        """One predicate per filter, which lets through what its values choose. Unknown filters are ignored."""
        tests = [test for name, wanted in self.filters.items() if (test := self._test(name, wanted))]
        tags = {word: self._parameters[word] for word in TAG_FILTERS if word in self._parameters}
        if tags:
            tests.append(lambda value: tags_match(getattr(value, "tags", ()), tags))
        return tests

    def _test(self, name: str, wanted: list[str]) -> Test | None:
        show = self._schema.known(name, self._caller)
        if show is None or not self._schema.attributes[name].filter:
            return None
        kind, seen = KINDS[self._schema.attributes[name].kind], self._seen
        return lambda value: kind.chooses(show(value, seen), wanted)

    def page(self, values: Iterable[Any]) -> list[Any]:
        """The wanted page in the wanted order."""
        ordered = sorted(values, key=lambda value: value.id)
        for name, descending in reversed(self._order):
            show = self._schema.known(name, self._caller)
            assert show is not None
            ordered.sort(key=lambda value: _sortable(show(value, self._seen)), reverse=descending)  # noqa: B023
        return self._cut(ordered)

    def _cut(self, ordered: list[Any]) -> list[Any]:
        backward = self._backward()
        marker = self._parameters.get("marker")
        if marker:
            place = next((i for i, value in enumerate(ordered) if value.id == marker), None)
            if place is None:
                raise BadRequest(f"Invalid input for operation: marker '{marker}' not found.", "InvalidInput")
            ordered = ordered[:place] if backward else ordered[place + 1 :]
        if not self._limit:
            return ordered
        return ordered[-self._limit :] if backward else ordered[: self._limit]

    def links(self, url: str, values: Sequence[Any]) -> list[dict[str, str]]:
        """Where the next and the previous page are; from beyond an end only the way back, to that end."""
        if not self._limit:
            return []
        if not values:
            backward = self._backward()
            return [self._link(url, "next" if backward else "previous", None, not backward)]
        short, backward = len(values) < self._limit, self._backward()
        links = []
        if not short or backward:
            links.append(self._link(url, "next", values[-1].id, False))
        if not short or not backward:
            links.append(self._link(url, "previous", values[0].id, True))
        return links

    def _link(self, url: str, relation: str, marker: str | None, backward: bool) -> dict[str, str]:
        kept = [(k, v) for k, v in self._parameters.multi_items() if k not in ("marker", "page_reverse")]
        if marker is not None:
            kept.append(("marker", marker))
        if backward:
            kept.append(("page_reverse", "True"))
        return {"rel": relation, "href": f"{url}?{urlencode(kept)}"}

    def _backward(self) -> bool:
        return self._parameters.get("page_reverse", "").lower() in ("true", "1")

    def _sort_order(self) -> list[tuple[str, bool]]:
        keys, directions = self._parameters.getlist("sort_key"), self._parameters.getlist("sort_dir")
        unusable = [key for key in keys if not self._sortable_key(key)]
        if unusable:
            raise BadRequest(f"{unusable} is invalid attribute for sort_keys")
        if directions and len(keys) != len(directions):
            raise BadRequest("The number of sort_keys and sort_dirs must be same")
        if any(each not in ("asc", "desc") for each in directions):
            raise BadRequest("sort_dir must be asc or desc")
        directions = directions or ["asc"] * len(keys)
        return [(key, direction == "desc") for key, direction in zip(keys, directions, strict=True)]

    def _sortable_key(self, name: str) -> bool:
        shown = self._schema.known(name, self._caller)
        return shown is not None and self._schema.attributes[name].sort

    def _page_limit(self) -> int:
        text = self._parameters.get("limit", "0")
        if not text.isdecimal() or len(text) > _LONGEST_LIMIT:
            raise BadRequest(f"Bad limit: '{text:.40}' is not a number of 0 or more", "BadRequest")
        return int(text)


def _sortable(value: Any) -> tuple[bool, Any]:
    return (value is not None, value if isinstance(value, str | int) else str(value))
