"""VXLAN encapsulation (RFC 7348 section 5), as it stands behind the outer UDP header."""

import msgspec

from overlace.wire.errors import MalformedError

HEADER_LENGTH = 8
_VNI_VALID = 0x08


class Vxlan(msgspec.Struct, frozen=True):
    """One encapsulated frame; `vni` has 24 bits."""

    vni: int
    frame: bytes

    @classmethod
    def decode(cls, data: bytes) -> "Vxlan":
        """Read header and inner frame; reserved bits are ignored.

        Raises MalformedError without a valid VNI.
        """
        if len(data) < HEADER_LENGTH:
            raise MalformedError(f"VXLAN packet of {len(data)} octets")
        if not data[0] & _VNI_VALID:
            raise MalformedError("VXLAN header without a valid VNI")
        return cls(int.from_bytes(data[4:7], "big"), data[HEADER_LENGTH:])

    def encode(self) -> bytes:
        """Header and inner frame."""
        return bytes((_VNI_VALID, 0, 0, 0)) + self.vni.to_bytes(3, "big") + b"\0" + self.frame
