"""Values to rows and to JSON, and back, from their declared types.

A scalar field is a column of its own; tuples and nested values are JSON text in theirs. The JSON of a whole
value is for the log of changes only, and is never read back by the store.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
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
from operator import attrgetter
from socket import AF_INET, AF_INET6, inet_pton
from sys import intern
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import msgspec

from overlace.store.errors import InvalidValue
from overlace.store.tables import HEXADECIMAL, without_none

_TEXTUAL = (IPv4Address, IPv6Address, IPv4Network, IPv6Network)
_INTEGERS = range(-(1 << 63), 1 << 63)
_Decoder = Callable[[Any], Any]
_AS_IT_IS: _Decoder | None = None
"""Of what needs no decoding."""
_ID = "id"
_EMPTY: dict[type, str] = {list: "[]", dict: "{}"}
"""As JSON."""


def encode_value(value: Any) -> str:
    """A resource as JSON text. Raises InvalidValue."""
    return _json(_plain(value))


def encode_row(value: Any) -> dict[str, Any]:
    """A resource as its table's row. Raises InvalidValue."""
    cls: type = type(value)
    row = {name: _cell(name, getattr(value, name)) for name in names_of(cls)}
    row.setdefault(_ID, value.id)
    return row


@cache
def names_of(cls: type) -> tuple[str, ...]:
    """The fields of a resource, or of a value within one."""
    return tuple(each.name for each in fields(cls))


def decode_row(cls: type, row: Mapping[str, Any]) -> Any:
    """A resource from what `encode_row` made. Raises ValueError, TypeError or KeyError on anything else."""
    return decode_cells(cls, [row[name] for name in column_names(cls)])


def column_names(cls: type) -> list[str]:
    """The columns that a resource is made of, in the order in which `decode_cells` takes them."""
    return [name for name, _ in _columns(cls)]


def decode_cells(cls: type, cells: Iterable[Any]) -> Any:
    """As `decode_row`, of cells alone."""
    named = zip(_columns(cls), cells, strict=True)
    return cls(**{name: cell if decode is None else decode(cell) for (name, decode), cell in named})


def _json(plain: Any) -> str:
    try:
        return msgspec.json.encode(plain).decode()
    except (OverflowError, UnicodeEncodeError) as reason:
        raise InvalidValue(f"cannot be kept: {reason}") from reason


def _cell(name: str, value: Any) -> Any:
    if name in HEXADECIMAL:
        return _hexadecimal(name, value)
    plain = _plain(value)
    kind = type(plain)
    if kind is str:
        return _checked_text(name, plain)
    if kind is list or kind is dict:
        return _json(plain) if plain else _EMPTY[kind]
    if kind is int and plain not in _INTEGERS:
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
    cls: type = type(value)
    plain = _plain_of(cls)
    return value if plain is None else plain(value)


@cache
def _plain_of(cls: type) -> Callable[[Any], Any] | None:
    """How values of a class become what JSON knows; None for those that are that already."""
    if issubclass(cls, _TEXTUAL):
        return str
    if issubclass(cls, Enum):
        return attrgetter("_value_")  # `value` is a property written in Python
    if issubclass(cls, datetime):
        return datetime.isoformat
    if issubclass(cls, tuple):
        return lambda value: [_plain(each) for each in value]
    if is_dataclass(cls):
        names = names_of(cls)
        return lambda value: {name: _plain(getattr(value, name)) for name in names}
    return None


@cache
def _columns(cls: type) -> tuple[tuple[str, _Decoder | None], ...]:
    types = get_type_hints(cls)
    return tuple((each.name, _column_decoder(each.name, types[each.name])) for each in fields(cls))


def _column_decoder(name: str, kind: Any) -> _Decoder | None:
    if name in HEXADECIMAL:
        return lambda text: int(text, 16)
    bare, _ = without_none(kind)
    if bare is str and not _is_identifier(name):
        return _shared
    decode = _decoder(kind)
    if get_origin(bare) is tuple or hasattr(bare, "__dataclass_fields__"):
        return lambda text: () if text == "[]" else _nested(decode, text)
    return decode


def _nested(decode: _Decoder | None, text: str | None) -> Any:
    if text is None:
        return None
    plain = msgspec.json.decode(text)
    return plain if decode is None else decode(plain)


@lru_cache(maxsize=1024)
def _shared(text: str) -> str:
    """Words that stand in many values, and are one string wherever they are near each other."""
    return text


def _is_identifier(name: str) -> bool:
    """Whether a column names objects, which others name too: then all share one string."""
    return name == _ID or name.endswith(f"_{_ID}")


@cache
def _decoder(kind: Any) -> _Decoder | None:
    bare, optional = without_none(kind)
    decode = _bare_decoder(bare)
    if decode is None or not optional:
        return decode
    return lambda plain: None if plain is None else decode(plain)


def _bare_decoder(kind: Any) -> _Decoder | None:
    if get_origin(kind) is tuple:
        each = _decoder(get_args(kind)[0])
        return tuple if each is None else lambda plain: tuple([each(item) for item in plain])
    if get_origin(kind) is UnionType or kind in _TEXTUAL:
        return _textual_decoder(set(get_args(kind)) or {kind})
    if not isinstance(kind, type):
        return _AS_IT_IS  # a NewType: kept as what it stands for
    if hasattr(kind, "__dataclass_fields__"):
        members = _members(kind)
        return lambda plain: kind(
            *[decode(plain[name]) if decode else plain[name] for name, decode in members]
        )
    if issubclass(kind, Enum):
        return kind
    if kind is datetime:
        return _timestamp
    if kind is str:
        return intern
    return bool if kind is bool else _AS_IT_IS


_timestamp = lru_cache(maxsize=1024)(datetime.fromisoformat)
"""Whole seconds: what was made together has one."""


@cache
def _members(cls: type) -> tuple[tuple[str, _Decoder | None], ...]:
    types = get_type_hints(cls)
    return tuple((each.name, _decoder(types[each.name])) for each in fields(cls))


def _textual_decoder(kinds: set[Any]) -> _Decoder:
    if kinds <= {IPv4Address, IPv6Address}:
        return _address
    if kinds <= {IPv4Network, IPv6Network}:
        return ip_network
    raise TypeError(f"no column can tell apart {kinds}")


def _address(text: str) -> IPv4Address | IPv6Address:
    """By the system's own parser, which takes a quarter of the time; what that does not know has a scope."""
    if ":" not in text:
        return IPv4Address(inet_pton(AF_INET, text))
    return IPv6Address(text if "%" in text else inet_pton(AF_INET6, text))
