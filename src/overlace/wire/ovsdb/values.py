"""OVSDB values (RFC 7047 section 5.1) as frozen Python values.

atom <-> int, float, bool, str, `Uuid`, `NamedUuid`; set <-> frozenset; map <-> `immutables.Map`.
On the wire a set of exactly one element is written as the bare element, so the type of the column is needed
to read a value back as what it is; see `overlace.wire.ovsdb.schema`.
"""

from collections.abc import Mapping, Set
from typing import Any

from immutables import Map

from overlace.wire.errors import MalformedError


class Uuid(str):
    """The UUID of a row, in the 36-character text form."""

    __slots__ = ()


class NamedUuid(str):
    """The name that an insert of the same transaction gave to the row it makes (RFC 7047 5.1)."""

    __slots__ = ()


Atom = int | float | bool | str | Uuid | NamedUuid
Value = Atom | frozenset[Atom] | Map[Atom, Atom]
InputValue = Atom | Set[Atom] | Mapping[Any, Atom]
"""What may be written: any set or mapping, frozen or not."""


def encode_value(value: InputValue) -> Any:
    """The JSON form of a value."""
    if isinstance(value, Mapping):
        return ["map", [[encode_atom(key), encode_atom(item)] for key, item in value.items()]]
    if isinstance(value, Set):
        return ["set", [encode_atom(item) for item in sorted(value, key=_order)]]
    return encode_atom(value)


def encode_atom(atom: Atom) -> Any:
    """The JSON form of one atom."""
    if isinstance(atom, Uuid):
        return ["uuid", str(atom)]
    if isinstance(atom, NamedUuid):
        return ["named-uuid", str(atom)]
    return atom


def decode_value(json: Any) -> Value:
    """Read a value without knowing its type. Raises MalformedError."""
    if isinstance(json, list) and len(json) == 2:
        if json[0] == "set":
            return decode_set(json)
        if json[0] == "map":
            return decode_map(json)
    return decode_atom(json)


def decode_atom(json: Any) -> Atom:
    """Read one atom. Raises MalformedError."""
    if isinstance(json, str | int | float):
        return json
    match json:
        case ["uuid", str(text)]:
            return Uuid(text)
        case ["named-uuid", str(text)]:
            return NamedUuid(text)
    raise MalformedError(f"{json!r:.80} is not an OVSDB atom")


def decode_set(json: Any) -> frozenset[Atom]:
    """Read a set, also one written as its only element. Raises MalformedError."""
    match json:
        case ["set", list(items)]:
            return frozenset(map(decode_atom, items))
    return frozenset((decode_atom(json),))


def decode_map(json: Any) -> Map[Atom, Atom]:
    """Read a map. Raises MalformedError."""
    match json:
        case ["map", list(pairs)]:
            return Map(map(_decode_pair, pairs))
    raise MalformedError(f"{json!r:.80} is not an OVSDB map")


def _decode_pair(json: Any) -> tuple[Atom, Atom]:
    match json:
        case [key, item]:
            return decode_atom(key), decode_atom(item)
    raise MalformedError(f"{json!r:.80} is not a pair of an OVSDB map")


def _order(atom: Atom) -> tuple[bool, str | float]:
    """Numbers, then text: equal sets are always written as equal bytes."""
    return (True, atom) if isinstance(atom, str) else (False, atom)
