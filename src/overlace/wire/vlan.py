"""IEEE 802.1Q and 802.1ad tags."""

import msgspec

from overlace.wire.errors import MalformedError

CUSTOMER_TPID = 0x8100
SERVICE_TPID = 0x88A8
TPIDS = frozenset({CUSTOMER_TPID, SERVICE_TPID})


class VlanTag(msgspec.Struct, frozen=True):
    """One tag.

    VLAN identifier (0 to 4095), priority (0 to 7), drop eligibility, and the EtherType before it.
    """

    vid: int
    priority: int = 0
    drop_eligible: bool = False
    tpid: int = CUSTOMER_TPID

    @classmethod
    def decode(cls, data: bytes) -> "VlanTag":
        """Read the four octets of a tag, TPID first. Raises MalformedError."""
        if len(data) < 4:
            raise MalformedError("VLAN tag shorter than 4 octets")
        control = int.from_bytes(data[2:4], "big")
        return cls(control & 0xFFF, control >> 13, bool(control >> 12 & 1), int.from_bytes(data[:2], "big"))

    def encode(self) -> bytes:
        """The four octets of the tag."""
        control = self.priority << 13 | self.drop_eligible << 12 | self.vid
        return (self.tpid << 16 | control).to_bytes(4, "big")
