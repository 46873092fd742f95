"""Ethernet II frames, with any VLAN tags; no frame check sequence, as frames come to and from a switch."""

import msgspec

from overlace.kit.addresses import Mac, mac_bytes
from overlace.wire.errors import MalformedError
from overlace.wire.vlan import TPIDS, VlanTag

ETHERTYPE_IPV4 = 0x0800
ETHERTYPE_ARP = 0x0806
ETHERTYPE_RARP = 0x8035
ETHERTYPE_IPV6 = 0x86DD
ETHERTYPE_LLDP = 0x88CC

HEADER_LENGTH = 14


class EthernetFrame(msgspec.Struct, frozen=True):
    """One frame; `ethertype` below 0x600 is the length field of an IEEE 802.3 (LLC) frame."""

    destination: Mac
    source: Mac
    ethertype: int
    payload: bytes
    tags: tuple[VlanTag, ...] = ()

    @classmethod
    def decode(cls, data: bytes) -> "EthernetFrame":
        """Read a frame; padding stays in the payload. Raises MalformedError when it is cut short."""
        if len(data) < HEADER_LENGTH:
            raise MalformedError(f"Ethernet frame of {len(data)} octets")
        tags: list[VlanTag] = []
        position = 12
        while (ethertype := int.from_bytes(data[position : position + 2], "big")) in TPIDS:
            tags.append(VlanTag.decode(data[position : position + 4]))
            position += 4
        if len(data) < position + 2:
            raise MalformedError("Ethernet frame ends after a VLAN tag")
        destination, source = int.from_bytes(data[:6], "big"), int.from_bytes(data[6:12], "big")
        return cls(Mac(destination), Mac(source), ethertype, data[position + 2 :], tuple(tags))

    def encode(self) -> bytes:
        """The frame without padding."""
        tags = b"".join(tag.encode() for tag in self.tags)
        header = mac_bytes(self.destination) + mac_bytes(self.source) + tags
        return header + self.ethertype.to_bytes(2, "big") + self.payload
