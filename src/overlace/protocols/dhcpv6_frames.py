"""From the frame that a port sent to the frame that answers it (RFC 8415 18.3.11: to where it came from)."""

from dataclasses import dataclass

from overlace.protocols.dhcpv6 import Outcome, answer
from overlace.protocols.dhcpv6_lease import Lease, Server
from overlace.wire.dhcpv6.message import ALL_SERVERS, CLIENT_PORT, SERVER_PORT, Dhcpv6Message
from overlace.wire.errors import MalformedError
from overlace.wire.ethernet import ETHERTYPE_IPV6, EthernetFrame
from overlace.wire.frames import udp_frame
from overlace.wire.ipv6 import NEXT_HEADER_UDP, Ipv6Packet
from overlace.wire.udp import UdpDatagram


@dataclass(frozen=True, slots=True)
class Response:
    """The frame to send out of the port, if any; what was decided, and why where nothing is sent."""

    frame: bytes | None
    outcome: Outcome
    reason: str = ""


def respond(frame: bytes, lease: Lease, server: Server) -> Response:
    """Answer one frame from the port that `lease` belongs to.

    The UDP checksum is not looked at: a guest's offloaded one may not have been computed yet where the switch
    took the frame. Raises MalformedError when the frame is not a DHCPv6 message to all servers.
    """
    ethernet = EthernetFrame.decode(frame)
    if ethernet.tags or ethernet.ethertype != ETHERTYPE_IPV6:
        raise MalformedError("not an untagged IPv6 frame")
    packet = Ipv6Packet.decode(ethernet.payload)
    if packet.next_header != NEXT_HEADER_UDP or packet.destination != ALL_SERVERS:
        raise MalformedError("not a UDP packet to all DHCPv6 servers")
    datagram = UdpDatagram.decode(packet.payload)
    if datagram.destination_port != SERVER_PORT:
        raise MalformedError(f"UDP port {datagram.destination_port} is not that of DHCPv6 servers")
    decided = answer(Dhcpv6Message.decode(datagram.payload), lease, server)
    if decided.reply is None:
        return Response(None, decided.outcome, decided.reason)
    reply = UdpDatagram(SERVER_PORT, CLIENT_PORT, decided.reply.encode())
    sent = udp_frame(server.mac, ethernet.source, server.address, packet.source, reply)
    return Response(sent, decided.outcome)
