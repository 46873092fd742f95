"""Values to rows and to JSON, and back, from their declared types.

A scalar field is a column of its own; tuples and nested values are JSON text in theirs. The JSON of a whole
value is for the log of changes only, and is never read back by the store.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from enum import Enum
from functools import cache, lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_network,
)
from sys import intern
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import msgspec

from overlace.store.errors import InvalidValue
from overlace.store.tables import HEXADECIMAL, without_none

_TEXTUAL = (IPv4Address, IPv6Address, IPv4Network, IPv6Network)
_INTEGERS = range(-(1 << 63), 1 << 63)
_Decoder = Callable[[Any], Any]
_ID = "id"


def encode_value(value: Any) -> str:
    """A resource as JSON text. Raises InvalidValue."""
    return _json(_plain(value))


def encode_row(value: Any) -> dict[str, Any]:
    """A resource as its table's row. Raises InvalidValue."""
    row = {each.name: _cell(each.name, getattr(value, each.name)) for each in fields(value)}
    row.setdefault(_ID, value.id)
    return row


def decode_row(cls: type, row: Mapping[str, Any]) -> Any:
    """A resource from what `encode_row` made. Raises ValueError, TypeError or KeyError on anything else."""
    return cls(**{name: decode(row[name]) for name, decode in _columns(cls)})


def _json(plain: Any) -> str:
    try:
        return msgspec.json.encode(plain).decode()
    except (OverflowError, UnicodeEncodeError) as reason:
        raise InvalidValue(f"cannot be kept: {reason}") from reason


def _cell(name: str, value: Any) -> Any:
    if name in HEXADECIMAL:
        return _hexadecimal(name, value)
    plain = _plain(value)
    if isinstance(plain, list | dict):
        return _json(plain)
    if isinstance(plain, str):
        return _checked_text(name, plain)
    if isinstance(plain, int) and plain not in _INTEGERS:
        raise InvalidValue(f"{name} cannot be kept: {plain} needs more than 64 bits")
    return plain


def _hexadecimal(name: str, value: int) -> str:
    if not 0 <= value < 1 << 64:
        raise InvalidValue(f"{name} cannot be kept: {value} is no unsigned 64-bit number")
    return f"{value:016x}"


def _checked_text(name: str, text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as reason:
        raise InvalidValue(f"{name} cannot be kept: {reason}") from reason
    return text


def _plain(value: Any) -> Any:
    if isinstance(value, _TEXTUAL):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if hasattr(value, "__dataclass_fields__"):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    return value


@cache
def _columns(cls: type) -> tuple[tuple[str, _Decoder], ...]:
    types = get_type_hints(cls)
    return tuple((each.name, _column_decoder(each.name, types[each.name])) for each in fields(cls))


def _column_decoder(name: str, kind: Any) -> _Decoder:
    if name in HEXADECIMAL:
        return lambda text: int(text, 16)
    bare, _ = without_none(kind)
    if bare is str and not _is_identifier(name):
        return lambda text: text
    decode = _decoder(kind)
    if get_origin(bare) is tuple or hasattr(bare, "__dataclass_fields__"):
        return lambda text: None if text is None else decode(msgspec.json.decode(text))
    return decode


def _is_identifier(name: str) -> bool:
    """Whether a column names objects, which others name too: then all share one string."""
    return name == _ID or name.endswith(f"_{_ID}")


@cache
def _decoder(kind: Any) -> _Decoder:
    bare, optional = without_none(kind)
    decode = _bare_decoder(bare)
    return (lambda plain: None if plain is None else decode(plain)) if optional else decode


def _bare_decoder(kind: Any) -> _Decoder:
    if get_origin(kind) is tuple:
        each = _decoder(get_args(kind)[0])
        return lambda plain: tuple([each(item) for item in plain])
    if get_origin(kind) is UnionType or kind in _TEXTUAL:
        return _textual_decoder(set(get_args(kind)) or {kind})
    if not isinstance(kind, type):
        return lambda plain: plain  # a NewType: kept as what it stands for
    if hasattr(kind, "__dataclass_fields__"):
        return lambda plain: kind(**{name: decode(plain[name]) for name, decode in _members(kind)})
    if issubclass(kind, Enum):
        return kind
    if kind is datetime:
        return _timestamp
    if kind is str:
        return intern
    return bool if kind is bool else lambda plain: plain


_timestamp = lru_cache(maxsize=1024)(datetime.fromisoformat)
"""Whole seconds: what was made together has one."""


@cache
def _members(cls: type) -> tuple[tuple[str, _Decoder], ...]:
    types = get_type_hints(cls)
    return tuple((each.name, _decoder(types[each.name])) for each in fields(cls))


def _textual_decoder(kinds: set[Any]) -> _Decoder:
    if kinds <= {IPv4Address, IPv6Address}:
        return lambda text: IPv6Address(text) if ":" in text else IPv4Address(text)
    if kinds <= {IPv4Network, IPv6Network}:
        return ip_network
    raise TypeError(f"no column can tell apart {kinds}")
