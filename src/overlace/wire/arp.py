"""ARP (RFC 826) and RARP (RFC 903) for IPv4 over Ethernet."""

import struct
from ipaddress import IPv4Address

import msgspec

from overlace.kit.addresses import Mac, mac_bytes
from overlace.wire.errors import MalformedError

REQUEST = 1
REPLY = 2
REVERSE_REQUEST = 3
REVERSE_REPLY = 4

_LAYOUT = struct.Struct("!HHBBH6s4s6s4s")
_ETHERNET_IPV4 = (1, 0x0800, 6, 4)


class Arp(msgspec.Struct, frozen=True):
    """One packet; the same layout serves RARP, told apart by EtherType and operation."""

    operation: int
    sender_mac: Mac
    sender_ip: IPv4Address
    target_mac: Mac
    target_ip: IPv4Address

    @classmethod
    def decode(cls, data: bytes) -> "Arp":
        """Read a packet, ignoring padding. Raises MalformedError, also for other address families."""
        if len(data) < _LAYOUT.size:
            raise MalformedError(f"ARP packet of {len(data)} octets")
        *families, operation, sender_mac, sender_ip, target_mac, target_ip = _LAYOUT.unpack_from(data)
        if tuple(families) != _ETHERNET_IPV4:
            raise MalformedError(f"ARP for other than IPv4 over Ethernet: {families}")
        return cls(
            operation,
            Mac(int.from_bytes(sender_mac, "big")),
            IPv4Address(sender_ip),
            Mac(int.from_bytes(target_mac, "big")),
            IPv4Address(target_ip),
        )

    def encode(self) -> bytes:
        """The 28 octets of the packet."""
        return _LAYOUT.pack(
            *_ETHERNET_IPV4,
            self.operation,
            mac_bytes(self.sender_mac),
            self.sender_ip.packed,
            mac_bytes(self.target_mac),
            self.target_ip.packed,
        )
