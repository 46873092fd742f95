"""How far a tracked connection has come, from the packets of both directions.

The behaviour is that of the userspace connection tracker of Open vSwitch 3.1 as observed from outside
(``dpctl/dump-conntrack`` and ct_state after each packet); sequence numbers are not followed, so that no packet is
out of window here.
"""

from enum import Enum, IntEnum

FIN, SYN, RST, PSH, ACK, URG = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
"""TCP flags (RFC 9293, 3.1)."""


class Verdict(Enum):
    """What a packet is to a connection that it belongs to."""

    NEW = "new"
    """Nothing has come back yet."""
    ESTABLISHED = "established"
    INVALID = "invalid"
    RESTART = "restart"
    """The connection is over; this packet begins another."""


def tcp_flags_are_valid(flags: int) -> bool:
    """False for combinations that no TCP sends."""
    if flags & SYN and flags & (RST | FIN):
        return False
    if not flags & (SYN | ACK | RST):
        return False
    return bool(flags & ACK) or not flags & (FIN | PSH | URG)


def tcp_may_begin(flags: int) -> bool:
    """A connection begins with a SYN, or is picked up in the middle; never with SYN+ACK."""
    return tcp_flags_are_valid(flags) and flags & (SYN | ACK) != SYN | ACK


class Peer(IntEnum):
    """The state of one end, in the order in which it can only advance."""

    CLOSED = 0
    SYN_SENT = 1
    ESTABLISHED = 2
    CLOSING = 3
    FIN_WAIT_2 = 4
    TIME_WAIT = 5


class TcpState:
    """Both ends of a TCP connection; the first packet, whatever it is, has been sent by the originator."""

    def __init__(self) -> None:
        self.peers = [Peer.SYN_SENT, Peer.CLOSED]
        """Originator and responder."""

    def advance(self, flags: int, *, reply: bool) -> Verdict:
        """Take in a packet of either direction."""
        if not tcp_flags_are_valid(flags):
            return Verdict.INVALID
        pure_syn = flags & (SYN | ACK) == SYN
        if pure_syn and min(self.peers) >= Peer.FIN_WAIT_2:
            return Verdict.RESTART
        opening = pure_syn and self.peers[int(reply)] <= Peer.SYN_SENT
        self._move(flags, sender=int(reply), receiver=int(not reply))
        return Verdict.NEW if opening else Verdict.ESTABLISHED

    def _move(self, flags: int, sender: int, receiver: int) -> None:
        peers = self.peers
        peers[sender] = max(peers[sender], Peer.SYN_SENT)
        if flags & FIN:
            peers[sender] = max(peers[sender], Peer.CLOSING)
        if flags & ACK and peers[receiver] == Peer.SYN_SENT:
            peers[receiver] = Peer.ESTABLISHED
        elif flags & ACK and peers[receiver] == Peer.CLOSING:
            peers[receiver] = Peer.FIN_WAIT_2
        if flags & RST:
            peers[:] = [Peer.TIME_WAIT, Peer.TIME_WAIT]

    @property
    def timeout(self) -> float:
        """Seconds that the connection is remembered without another packet."""
        if min(self.peers) >= Peer.FIN_WAIT_2:
            return 30
        if min(self.peers) >= Peer.CLOSING:
            return 45
        if min(self.peers) < Peer.ESTABLISHED:
            return 30
        return 15 * 60 if max(self.peers) >= Peer.CLOSING else 24 * 60 * 60


class OtherState:
    """UDP, ICMP queries and all else: established as soon as something has come back."""

    def __init__(self) -> None:
        self.answered = False

    def advance(self, flags: int, *, reply: bool) -> Verdict:  # noqa: ARG002  only TCP has flags
        """Take in a packet of either direction."""
        self.answered = self.answered or reply
        return Verdict.ESTABLISHED if self.answered else Verdict.NEW

    @property
    def timeout(self) -> float:
        """Seconds that the connection is remembered without another packet."""
        return 30 if self.answered else 60
