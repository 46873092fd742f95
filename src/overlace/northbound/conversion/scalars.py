"""Strings, numbers, truth values and time. Clients send numbers as strings, hence the conversions.

What names another object stands in many values, and is one string in all of them (`sys.intern`).
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from sys import intern
from typing import Any

from overlace.northbound.conversion.kind import Kind

NAME_LENGTH = 255
_TRUE = {"true", "1", "yes", "on", "t", "y"}
_FALSE = {"false", "0", "no", "off", "f", "n"}
_UUID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{32}", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:@/-]*")


def parse_string(value: Any) -> str:
    """A string of at most 255 characters."""
    if not isinstance(value, str):
        raise ValueError(f"'{value}' is not a valid string")
    if len(value) > NAME_LENGTH:
        raise ValueError(f"'{value}' exceeds maximum length of {NAME_LENGTH}")
    return value


def parse_text(value: Any) -> str:
    """A string for which null means the empty one."""
    return "" if value is None else parse_string(value)


def parse_integer(value: Any) -> int:
    """A whole number, possibly written as a string."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(f"'{value}' is not an integer")
    try:
        return int(value)
    except ValueError:
        raise ValueError(f"'{value}' is not an integer") from None


def parse_boolean(value: Any) -> bool:
    """A truth value, possibly written as a string or 0 and 1."""
    text = str(value).lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError(f"'{value}' cannot be converted to boolean")


def matches_boolean(rendered: Any, wanted: str) -> bool:
    """Whether a query's text means this truth value."""
    return wanted.lower() in (_TRUE if rendered else _FALSE)


def parse_uuid(value: Any) -> str:
    """An identifier as the API makes them."""
    if not isinstance(value, str) or not _UUID.fullmatch(value):
        raise ValueError(f"'{value}' is not a valid UUID")
    return intern(value)


def parse_project(value: Any) -> str:
    """The identifier of a project: as the identity service makes them."""
    return intern(parse_string(value))


def parse_name(value: Any) -> str:
    """A name that an operator gave to a host, site or switch; empty or null means none."""
    text = parse_text(value)
    if text and not _NAME.fullmatch(text):
        raise ValueError(f"'{value}' is not a name (letters, digits and _ . : @ / -)")
    return intern(text)


def parse_strings(value: Any) -> tuple[str, ...]:
    """A list of strings without repetition."""
    if not isinstance(value, list):
        raise ValueError(f"'{value}' is not a list")
    return tuple(dict.fromkeys(parse_string(each) for each in value))


def parse_uuids(value: Any) -> tuple[str, ...]:
    """A list of distinct identifiers; null means empty."""
    if value is None:
        return ()
    if not isinstance(value, list):
        raise ValueError(f"'{value}' is not a list")
    found = tuple(parse_uuid(each) for each in value)
    if len(set(found)) != len(found):
        raise ValueError(f"Duplicate items in the list: '{', '.join(found)}'")
    return found


def matches_member(rendered: Any, wanted: str) -> bool:
    """Whether a query's text is one of these."""
    return wanted in rendered


def render_timestamp(value: datetime | None) -> str | None:
    """Second precision, UTC."""
    return None if value is None else value.astimezone(UTC).isoformat(timespec="seconds")[:-6] + "Z"


def or_none(parse: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """`parse`, with null allowed."""
    return lambda value: None if value is None else parse(value)


def one_of(*values: str) -> Callable[[Any], str]:
    """A parser for an enumeration of words."""

    def parse(value: Any) -> str:
        if value not in values:
            raise ValueError(f"'{value}' is not in {list(values)}")
        return str(value)

    return parse


def between(low: int, high: int) -> Callable[[Any], int]:
    """A parser for a number in an inclusive range."""

    def parse(value: Any) -> int:
        number = parse_integer(value)
        if not low <= number <= high:
            raise ValueError(f"'{value}' is not in range {low} through {high}")
        return number

    return parse


SCALARS = {
    "string": Kind(parse_string),
    "text": Kind(parse_text),
    "string_or_none": Kind(or_none(parse_string)),
    "project": Kind(parse_project),
    "network_type": Kind(parse_string),
    "name": Kind(parse_name),
    "uuid": Kind(parse_uuid),
    "uuid_or_none": Kind(or_none(parse_uuid)),
    "uuids": Kind(parse_uuids, list, matches_member),
    "strings": Kind(parse_strings, list, matches_member),
    "tags": Kind(parse_strings, list, matches_member),
    "bool": Kind(parse_boolean, matches=matches_boolean),
    "int": Kind(parse_integer),
    "int_or_none": Kind(or_none(parse_integer)),
    "mtu": Kind(between(0, 65535)),
    "timestamp": Kind(parse_string, render_timestamp),
}
