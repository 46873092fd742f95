"""Values to JSON and back, from their declared types: what the database keeps and the audit log shows."""

from dataclasses import fields
from datetime import datetime
from enum import Enum
from functools import cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec

_ADDRESSES = (IPv4Address, IPv6Address)
_NETWORKS = (IPv4Network, IPv6Network)


def encode_value(value: Any) -> str:
    """A resource as JSON text."""
    return msgspec.json.encode(_plain(value)).decode()


def decode_value(cls: type, text: str) -> Any:
    """A resource from what `encode_value` wrote. Raises ValueError or TypeError on anything else."""
    return _build(cls, msgspec.json.decode(text))


def _plain(value: Any) -> Any:
    if isinstance(value, _ADDRESSES + _NETWORKS):
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
def _types(cls: type) -> dict[str, Any]:
    return get_type_hints(cls)


def _build(cls: Any, plain: dict[str, Any]) -> Any:
    types = _types(cls)
    return cls(**{name: _typed(types[name], value) for name, value in plain.items() if name in types})


def _typed(kind: Any, value: Any) -> Any:
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        return _typed_union(get_args(kind), value)
    if origin is tuple:
        return tuple(_typed(get_args(kind)[0], each) for each in value)
    if isinstance(kind, type):
        if issubclass(kind, Enum):
            return kind(value)
        if kind is datetime:
            return datetime.fromisoformat(value)
        if hasattr(kind, "__dataclass_fields__"):
            return _build(kind, value)
        if kind in _ADDRESSES:
            return ip_address(value)
        if kind in _NETWORKS:
            return ip_network(value)
    return value


def _typed_union(kinds: tuple[Any, ...], value: Any) -> Any:
    if value is None:
        return None
    given = [kind for kind in kinds if kind is not NoneType]
    if set(given) & set(_ADDRESSES):
        return ip_address(value)
    if set(given) & set(_NETWORKS):
        return ip_network(value)
    return _typed(given[0], value)
