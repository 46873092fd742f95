"""The Internet checksum (RFC 1071) and the pseudo-headers that transports put before it."""

from overlace.kit.addresses import IPAddress


def internet_checksum(data: bytes) -> int:
    """The ones' complement of the ones' complement sum of 16-bit words.

    0 over data that holds a right one.
    """
    if len(data) & 1:
        data += b"\0"
    # 2**16 is 1 modulo 65535, so the whole number modulo 65535 is the folded sum; only 0 has two spellings.
    total = int.from_bytes(data, "big")
    folded = total % 0xFFFF
    if folded == 0 and total:
        folded = 0xFFFF
    return folded ^ 0xFFFF


def pseudo_header(source: IPAddress, destination: IPAddress, protocol: int, length: int) -> bytes:
    """What UDP, TCP (RFC 768, 9293) and ICMPv6 (RFC 8200 8.1) prepend for their checksum.

    Both of one family.
    """
    addresses = source.packed + destination.packed
    if source.version == 4:
        return addresses + protocol.to_bytes(2, "big") + length.to_bytes(2, "big")
    return addresses + length.to_bytes(4, "big") + protocol.to_bytes(4, "big")


def transport_checksum(source: IPAddress, destination: IPAddress, protocol: int, segment: bytes) -> int:
    """The checksum over pseudo-header and segment; 0 when the segment holds a right one."""
    return internet_checksum(pseudo_header(source, destination, protocol, len(segment)) + segment)
