"""From the frame that a port sent to the frame to send back (RFC 2131 4.1)."""

from dataclasses import dataclass
from ipaddress import IPv4Address

from overlace.kit.addresses import BROADCAST, Mac
from overlace.protocols.dhcpv4 import Answer, Ignored, Outcome, answer
from overlace.protocols.dhcpv4_lease import LeaseOffer, ServerIdentity
from overlace.wire.dhcpv4.message import CLIENT_PORT, SERVER_PORT, DhcpMessage
from overlace.wire.dhcpv4.options import MessageType, OptionCode
from overlace.wire.errors import MalformedError
from overlace.wire.ethernet import ETHERTYPE_IPV4, EthernetFrame
from overlace.wire.frames import udp_frame
from overlace.wire.ipv4 import PROTOCOL_UDP, Ipv4Packet
from overlace.wire.udp import UdpDatagram

_ANY = IPv4Address(0)
_EVERYONE = IPv4Address("255.255.255.255")
_NAK = bytes((MessageType.NAK,))


@dataclass(frozen=True, slots=True)
class Response:
    """The frame to send out of the port, if any, and what was decided."""

    frame: bytes | None
    outcome: Outcome


def respond(frame: bytes, lease: LeaseOffer, server: ServerIdentity) -> Response:
    """Answer one frame from the port that `lease` belongs to.

    The UDP checksum is not looked at: a guest's offloaded one may not have been computed yet where the switch
    took the frame. Raises MalformedError when the frame is not a DHCP message to a server.
    """
    ethernet = EthernetFrame.decode(frame)
    packet = _read_packet(ethernet)
    if packet.destination not in (_EVERYONE, server.address):
        return Response(None, Ignored(f"sent to {packet.destination}"))
    request = _read_message(packet)
    decided = answer(request, lease, server)
    return Response(_reply_frame(decided, ethernet, lease, server), decided.outcome)


def _read_packet(ethernet: EthernetFrame) -> Ipv4Packet:
    if ethernet.tags or ethernet.ethertype != ETHERTYPE_IPV4:
        raise MalformedError("not an untagged IPv4 frame")
    packet = Ipv4Packet.decode(ethernet.payload)
    if packet.protocol != PROTOCOL_UDP or packet.is_fragment:
        raise MalformedError("not a whole UDP packet")
    return packet


def _read_message(packet: Ipv4Packet) -> DhcpMessage:
    datagram = UdpDatagram.decode(packet.payload)
    if datagram.destination_port != SERVER_PORT:
        raise MalformedError(f"UDP port {datagram.destination_port} is not that of DHCP servers")
    return DhcpMessage.decode(datagram.payload)


def _reply_frame(
    decided: Answer, request: EthernetFrame, lease: LeaseOffer, server: ServerIdentity
) -> bytes | None:
    reply = decided.reply
    if reply is None:
        return None
    relayed = reply.giaddr != _ANY
    destination_mac, destination = (request.source, reply.giaddr) if relayed else _client(reply, lease)
    datagram = UdpDatagram(SERVER_PORT, SERVER_PORT if relayed else CLIENT_PORT, reply.encode())
    return udp_frame(server.mac, destination_mac, server.address, destination, datagram)


def _client(reply: DhcpMessage, lease: LeaseOffer) -> tuple[Mac, IPv4Address]:
    """To the address that the client uses or, if it can take that, the one it gets; else to everyone."""
    if reply.option(OptionCode.MESSAGE_TYPE) == _NAK:
        return BROADCAST, _EVERYONE
    if reply.ciaddr != _ANY:
        return lease.mac, reply.ciaddr
    if reply.broadcast or reply.yiaddr == _ANY:
        return BROADCAST, _EVERYONE
    return lease.mac, reply.yiaddr
