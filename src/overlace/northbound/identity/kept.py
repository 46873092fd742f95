"""What is kept of a project or user, and what is the same for all. The rest is refused, not lost in silence."""

from collections.abc import Collection, Mapping
from typing import Any

from starlette.datastructures import QueryParams

from overlace.northbound.identity.errors import bad_request

_WORDS = {"true": True, "1": True, "": True, "false": False, "0": False}
"""How a query says yes and no; a word without a value is a yes."""


def refuse_other(given: Mapping[str, Any], kept: Collection[str], fixed: Mapping[str, Any]) -> None:
    """Raise 400 for an attribute that is neither kept, nor fixed at this value, nor empty."""
    for name, value in given.items():
        if name not in kept and value and value != fixed.get(name):
            raise bad_request(f"'{name}' is not kept here; what is: {', '.join(sorted(kept))}")


def refuse_other_types(given: Mapping[str, Any], texts: Collection[str], flags: Collection[str]) -> None:
    """Raise 400 for a text or truth value that is none."""
    for name in texts:
        if not isinstance(given.get(name, ""), str | None):
            raise bad_request(f"'{name}' is not a text")
    for name in flags:
        if not isinstance(given.get(name, True), bool):
            raise bad_request(f"'{name}' is neither true nor false")


def asked_for(shown: Mapping[str, Any], query: QueryParams) -> bool:
    """Whether a list with this query has what is shown so; what the query does not say of it is no matter."""
    return all(_is(value, query[name]) for name, value in shown.items() if name in query)


def _is(value: Any, text: str) -> bool:
    if isinstance(value, bool):
        return _WORDS.get(text.lower()) is value
    if isinstance(value, list):
        return set(text.split(",")) <= set(value)
    return text == ("" if value is None else str(value))
