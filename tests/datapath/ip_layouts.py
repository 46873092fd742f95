"""IP packets as senders may lay them out: options, extension headers, fragments, and chains cut short.

A `Layout` says what stands between the IP header and the transport header, and which piece of the datagram the
frame carries; `laid_out` applies one to a packet. What makes no sense (a routing header in IPv4) is left out.
"""

from dataclasses import dataclass

from hypothesis import strategies as st

from overlace.datapath.fields import EthType, Field
from overlace.datapath.interpreter.encode import to_frame
from overlace.datapath.interpreter.packet import Packet

HOP_BY_HOP, ROUTING, FRAGMENT, ENCAPSULATING, AUTHENTICATION, NO_NEXT_HEADER, DESTINATION = (
    *(0, 43, 44, 50, 51, 59, 60),
)
"""RFC 8200, 4; RFC 4302; RFC 4303."""
_MOBILITY, _HOST_IDENTITY, _SHIM6, _EXPERIMENT, _UNASSIGNED = 135, 139, 140, 253, 200
EXTENSIONS = (HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION, DESTINATION)
UNREAD = (ENCAPSULATING, NO_NEXT_HEADER, _MOBILITY, _HOST_IDENTITY, _SHIM6, _EXPERIMENT, _UNASSIGNED)
"""What Open vSwitch does not look behind."""
_ETHERNET, _IPV4, _IPV6 = 14, 20, 40
_NO_OPERATION = b"\x01"


@dataclass(frozen=True)
class Header:
    """An IPv6 extension header. `length` is what its length field says, in the header's own units; of a fragment
    header `offset` (units of 8 octets) and `more` count instead."""

    kind: int
    length: int = 0
    offset: int = 0
    more: bool = False

    def to_bytes(self, following: int) -> bytes:
        """The header before one of kind `following`."""
        if self.kind == FRAGMENT:
            return bytes((following, 0)) + (self.offset << 3 | self.more).to_bytes(2, "big") + b"\0\0\0\7"
        size = (self.length + 2) * 4 if self.kind == AUTHENTICATION else (self.length + 1) * 8
        return bytes((following, self.length)) + bytes(max(size, 8) - 2)


@dataclass(frozen=True)
class Layout:
    """`option_words` (of 4 bytes), `offset` and `more` are those of an IPv4 header, `headers` of IPv6. `appended` is
    what follows the message. `kept`: how many bytes after the fixed IP header the frame has, None for all; `honest`:
    the length field agrees."""

    headers: tuple[Header, ...] = ()
    option_words: int = 0
    offset: int = 0
    more: bool = False
    appended: bytes = b""
    kept: int | None = None
    honest: bool = True


PLAIN = Layout()


def laid_out(packet: Packet, layout: Layout) -> bytes:
    """The frame of an untagged packet under a layout; unchanged where the packet is not IP."""
    frame = to_frame(packet)
    match packet[Field.ETH_TYPE]:
        case EthType.IPV4:
            return frame[:_ETHERNET] + _ipv4(frame[_ETHERNET:], layout)
        case EthType.IPV6:
            return frame[:_ETHERNET] + _ipv6(frame[_ETHERNET:], layout)
        case _:
            return frame


def _ipv4(datagram: bytes, layout: Layout) -> bytes:
    body = datagram[_IPV4 : int.from_bytes(datagram[2:4], "big")] + layout.appended
    behind = _NO_OPERATION * 4 * layout.option_words + body
    kept = behind[: layout.kept]
    head = bytearray(datagram[:_IPV4])
    head[0] = 0x45 + layout.option_words
    head[2:4] = (_IPV4 + len(kept if layout.honest else behind)).to_bytes(2, "big")
    head[6:8] = (layout.more << 13 | layout.offset).to_bytes(2, "big")
    return bytes(head) + kept


def _ipv6(datagram: bytes, layout: Layout) -> bytes:
    behind = datagram[_IPV6 : _IPV6 + int.from_bytes(datagram[4:6], "big")] + layout.appended
    following = datagram[6]
    for header in reversed(layout.headers):
        behind = header.to_bytes(following) + behind
        following = header.kind
    kept = behind[: layout.kept]
    size = len(kept if layout.honest else behind).to_bytes(2, "big")
    return datagram[:4] + size + bytes((following,)) + datagram[7:_IPV6] + kept


_OFFSETS = st.sampled_from((0, 0, 0, 1, 2, 100, 8191))
_MORE = st.booleans()


def headers() -> st.SearchStrategy[Header]:
    """Extension headers that are as long as they say."""
    known = st.builds(Header, st.sampled_from(EXTENSIONS), st.sampled_from((0, 0, 0, 1, 3)))
    fragments = st.builds(Header, st.just(FRAGMENT), offset=_OFFSETS, more=_MORE)
    return st.one_of(known, known, fragments, st.builds(Header, st.sampled_from(UNREAD)))


NEIGHBOUR_OPTIONS = tuple(
    bytes.fromhex(text)
    for text in (
        *("0101020000000001", "0101020000000002", "0201020000000001", "0101000000000000"),
        *("01020200000000010000000000000000", "0100020000000001", "0e01000000000000", "010102"),
    )
)
"""Source and target link-layer addresses; one of another length, one of no length, a nonce, one cut short."""


@st.composite
def layouts(draw: st.DrawFn) -> Layout:
    """Mostly chains that can be read to their end: several headers, the same one twice, fragments of each kind."""
    chain = tuple(draw(st.lists(headers(), max_size=4)))
    if chain and draw(st.integers(0, 3)) == 0:
        chain = (*chain, draw(st.sampled_from(chain)))
    cut = draw(st.integers(0, 3)) == 0
    return Layout(
        headers=chain,
        option_words=draw(st.sampled_from((0, 0, 1, 5, 10))),
        offset=draw(_OFFSETS),
        more=draw(_MORE),
        appended=b"".join(draw(st.lists(st.sampled_from(NEIGHBOUR_OPTIONS), max_size=3))),
        kept=draw(st.integers(0, 80)) if cut else None,
        honest=draw(st.booleans()),
    )
