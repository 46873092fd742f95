"""Lists of domain names in the form of the DNS (RFC 1035 3.1, 4.1.4), as DHCP and router advertisements
carry them.
"""

from overlace.wire.errors import MalformedError

_POINTER = 0xC0
_MAX_NAME = 255


def encode_names(names: tuple[str, ...]) -> bytes:
    """Write names without compression.

    Raises ValueError for labels over 63 octets, empty ones, long names.
    """
    return b"".join(map(_encode_name, names))


def decode_names(data: bytes) -> tuple[str, ...]:
    """Read names, following pointers within `data`; zero padding at the end is skipped.

    Raises MalformedError.
    """
    names: list[str] = []
    position = 0
    while position < len(data):
        labels, position = _decode_name(data, position)
        if labels:
            names.append(".".join(labels))
    return tuple(names)


def _encode_name(name: str) -> bytes:
    labels = [
        label.encode("idna" if not label.isascii() else "ascii") for label in name.rstrip(".").split(".")
    ]
    if any(not 0 < len(label) < 64 for label in labels):
        raise ValueError(f"{name!r} is not a domain name")
    encoded = b"".join(bytes((len(label),)) + label for label in labels) + b"\0"
    if len(encoded) > _MAX_NAME:
        raise ValueError(f"domain name of {len(encoded)} octets")
    return encoded


def _decode_name(data: bytes, start: int) -> tuple[list[str], int]:
    """The labels of one name and where the next one begins."""
    labels: list[str] = []
    position, end, size = start, None, 0
    while True:
        length = _octet(data, position)
        if length >= _POINTER:
            target = (length & 0x3F) << 8 | _octet(data, position + 1)
            end = position + 2 if end is None else end
            # Only backwards, so that no chain of pointers goes round.
            if target >= position:
                raise MalformedError("domain name with a pointer that does not lead back")
            position = target
            continue
        if length > 63:
            raise MalformedError(f"domain name with a label type of {length:#x}")
        position += 1
        if length == 0:
            return labels, position if end is None else end
        size += length + 1
        label = data[position : position + length]
        if len(label) < length or size > _MAX_NAME:
            raise MalformedError("domain name cut short or too long")
        labels.append(_text(label))
        position += length


def _text(label: bytes) -> str:
    if not label.isascii() or b"." in label:
        raise MalformedError(f"{label!r} is not a label of a host name")
    return label.decode("ascii")


def _octet(data: bytes, position: int) -> int:
    if position >= len(data):
        raise MalformedError("domain name cut short")
    return data[position]
