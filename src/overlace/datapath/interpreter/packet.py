"""A packet as Open vSwitch sees it: the value of every field, and what lies below the parsed headers.

OVS parses a frame into one flat set of fields (ovs-fields(7)) and stops where it cannot see further: at the
second VLAN tag, below an MPLS label stack, after the transport header. `Packet` keeps the visible part in
`values`, and beneath it what comes to light again when a header is taken off: further tags, further labels, and the
packet inside the label stack.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from overlace.datapath.field_text import format_value
from overlace.datapath.fields import VLAN_PRESENT, Field

_TAG_BYTES = 4
_NO_VALUES: Final = [0] * len(Field)
_LABEL_FIELDS = (Field.MPLS_LABEL, Field.MPLS_TC, Field.MPLS_BOS, Field.MPLS_TTL)

Label = tuple[int, int, int, int]
"""A label stack entry: label, traffic class, bottom-of-stack bit, TTL (RFC 3032)."""


class Packet:
    """Field values by `packet[Field]`; 0 where the packet has no such field, as in a flow lookup.

    Mutable, because a pipeline writes to it all the time; `copy()` is cheap (one list copy). `length` counts
    bytes of the frame from its Ethernet header on, without VLAN tags.
    """

    __slots__ = ("inner", "labels", "length", "payload", "tags", "values")

    def __init__(self, fields: Mapping[Field, int] | None = None, length: int = 60) -> None:
        self.values = _NO_VALUES.copy()
        self.length = length
        self.tags: tuple[int, ...] = ()
        """TCIs below the outermost one, the outer first."""
        self.labels: tuple[Label, ...] = ()
        """Label stack entries below the outermost one."""
        self.inner: Packet | None = None
        """What the MPLS label stack carries; None when unknown."""
        self.payload = b""
        """Bytes after the last parsed header, where the packet was decoded from bytes."""
        for field, value in (fields or {}).items():
            self[field] = value

    def __getitem__(self, field: Field) -> int:
        return self.values[field.order]

    def __setitem__(self, field: Field, value: int) -> None:
        if not 0 <= value <= field.full_mask:
            raise ValueError(f"{value:#x} does not fit {field.ovs_name} ({field.bits} bits)")
        self.values[field.order] = value

    def copy(self) -> "Packet":
        """An independent packet with the same contents."""
        twin = Packet.__new__(Packet)
        twin.values = self.values.copy()
        twin.length = self.length
        twin.tags = self.tags
        twin.labels = self.labels
        twin.inner = self.inner
        twin.payload = self.payload
        return twin

    def replace(self, changes: Mapping[Field, int]) -> "Packet":
        """A copy with some fields changed."""
        twin = self.copy()
        for field, value in changes.items():
            twin[field] = value
        return twin

    def become(self, other: "Packet") -> None:
        """Take over all contents of another packet."""
        self.values = other.values.copy()
        self.length, self.tags, self.labels = other.length, other.tags, other.labels
        self.inner, self.payload = other.inner, other.payload

    def clear(self, fields: Iterable[Field]) -> None:
        """Set fields to 0."""
        for field in fields:
            self.values[field.order] = 0

    @property
    def size(self) -> int:
        """Bytes of the frame with its VLAN tags."""
        tags = len(self.tags) + bool(self[Field.VLAN_TCI] & VLAN_PRESENT)
        return self.length + tags * _TAG_BYTES

    @property
    def label(self) -> Label:
        """The outermost label stack entry."""
        label, tc, bos, ttl = (self.values[field.order] for field in _LABEL_FIELDS)
        return label, tc, bos, ttl

    @label.setter
    def label(self, entry: Label) -> None:
        for field, value in zip(_LABEL_FIELDS, entry, strict=True):
            self.values[field.order] = value

    def fields(self) -> dict[Field, int]:
        """The fields that are not 0, in the order of `Field`."""
        return {field: self.values[field.order] for field in Field if self.values[field.order]}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Packet):
            return NotImplemented
        return self.values == other.values and self._below() == other._below()

    __hash__ = None  # type: ignore[assignment]  # mutable

    def _below(self) -> tuple[object, ...]:
        return self.length, self.tags, self.labels, self.inner, self.payload

    def __repr__(self) -> str:
        shown = (f"{f.ovs_name}={format_value(f, v)}" for f, v in self.fields().items())
        return f"Packet({','.join(shown)})"
