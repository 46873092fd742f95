"""The frame of a path-MTU probe: a number that nobody can guess, and padding up to the size in question.

The size of a probe is that of the *underlay's* IP packet, which is what links have to carry: the outer IP
header, UDP and VXLAN (RFC 7348 section 5) are counted, the underlay's own Ethernet header is not.
"""

from overlace.kit.addresses import Mac
from overlace.wire.errors import MalformedError
from overlace.wire.ethernet import HEADER_LENGTH, EthernetFrame

ETHERTYPE = 0x88B5
"""IEEE 802 local experimental ethertype 1 (IEEE 802, 9.2.4): the frame stays between our own switches."""
NONCE_LENGTH = 16
_MAGIC = b"overlace path mtu"
_OUTER = {4: 20 + 8 + 8, 6: 40 + 8 + 8}
_ADDRESS = Mac(0x02_00_00_00_00_01)


def smallest(ip_version: int) -> int:
    """The size of a probe without any padding."""
    return _OUTER[ip_version] + HEADER_LENGTH + len(_MAGIC) + NONCE_LENGTH


def encode(nonce: bytes, size: int, ip_version: int) -> bytes:
    """The frame that makes an underlay packet of `size` bytes. Raises ValueError when it cannot be so small."""
    padding = size - smallest(ip_version)
    if padding < 0 or len(nonce) != NONCE_LENGTH:
        raise ValueError(f"no probe of {size} bytes over IPv{ip_version}")
    return EthernetFrame(_ADDRESS, _ADDRESS, ETHERTYPE, _MAGIC + nonce + bytes(padding)).encode()


def decode(frame: bytes, ip_version: int) -> tuple[bytes, int]:
    """Nonce and size of a probe that has arrived. Raises MalformedError for anything else."""
    ethernet = EthernetFrame.decode(frame)
    nonce = ethernet.payload[len(_MAGIC) :][:NONCE_LENGTH]
    if ethernet.ethertype != ETHERTYPE or not ethernet.payload.startswith(_MAGIC):
        raise MalformedError("not a path-MTU probe")
    if len(nonce) != NONCE_LENGTH:
        raise MalformedError("path-MTU probe without a nonce")
    return nonce, _OUTER[ip_version] + len(frame)
