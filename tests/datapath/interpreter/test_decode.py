"""Bytes are read as Open vSwitch reads them, whatever is in them."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import HealthCheck, example, given, settings, strategies as st
from tests.datapath.ip_layouts import laid_out, layouts
from tests.datapath.private_switch import PrivateSwitch
from tests.datapath.worlds import packets

from overlace.datapath.fields import EthType, Field, IpFrag, IpProto
from overlace.datapath.interpreter import build
from overlace.datapath.interpreter.decode import NOT_ETH_TYPE, from_frame
from overlace.datapath.interpreter.encode import to_frame
from overlace.datapath.interpreter.packet import Packet
from overlace.datapath.match import match
from overlace.datapath.prerequisites import field_exists, is_data_field
from overlace.datapath.text import format_match
from overlace.kit.addresses import IPAddress

F = Field
MACS = (0x020000000001, 0x020000000002)
IPV4 = (IPv4Address("10.0.0.1"), IPv4Address("10.0.0.2"))
IPV6 = (IPv6Address("fd00::1"), IPv6Address("fd00::2"))
ETHERNET = bytes.fromhex("020000000002020000000001")


def data_fields(packet: Packet) -> dict[Field, int]:
    """The fields that a frame has, those with value 0 included."""
    return {f: packet[f] for f in Field if is_data_field(f) and field_exists(f, packet.values)}


@given(packets())
def test_a_packet_written_to_bytes_is_read_back(packet: Packet) -> None:
    assert data_fields(from_frame(to_frame(packet))) == data_fields(packet)


def test_an_802_3_frame_has_no_ethernet_type() -> None:
    assert from_frame(ETHERNET + bytes.fromhex("0026424203") + bytes(40))[F.ETH_TYPE] == NOT_ETH_TYPE


def test_a_snap_header_tells_the_type() -> None:
    snap = bytes.fromhex("0026aaaa03000000") + bytes.fromhex("88cc") + bytes(40)
    assert from_frame(ETHERNET + snap)[F.ETH_TYPE] == EthType.LLDP


def test_behind_a_second_tag_nothing_is_seen() -> None:
    packet = build.tcp(MACS, IPV4, (1, 2)).replace({F.VLAN_TCI: 0x1005})
    packet.tags = (0x1006,)
    packet[F.ETH_TYPE] = EthType.VLAN
    read = from_frame(to_frame(packet))
    assert (read[F.VLAN_TCI], read[F.ETH_TYPE], read[F.IPV4_SRC]) == (0x1005, EthType.VLAN, 0)


def test_a_later_fragment_has_no_ports() -> None:
    packet = build.udp(MACS, IPV4, (0, 0)).replace({F.IP_FRAG: IpFrag.ANY | IpFrag.LATER})
    packet.payload = bytes.fromhex("0035003500101234")
    read = from_frame(to_frame(packet))
    assert (read[F.IP_FRAG], read[F.UDP_SRC]) == (3, 0)


def test_extension_headers_of_ipv6_are_skipped() -> None:
    packet = build.udp(MACS, IPV6, (1000, 53))
    frame = to_frame(packet)
    hop_by_hop = bytes((17, 0)) + bytes(6)
    size = (len(frame) - 54 + 8).to_bytes(2, "big")
    longer = frame[:18] + size + bytes((0,)) + frame[21:54] + hop_by_hop + frame[54:]
    read = from_frame(longer)
    assert (read[F.IP_PROTO], read[F.UDP_SRC], read[F.UDP_DST]) == (17, 1000, 53)


def test_a_label_stack_is_read_to_its_bottom() -> None:
    labels = bytes.fromhex("0001 0040".replace(" ", "")) + bytes.fromhex("00021b3f")
    packet = from_frame(ETHERNET + bytes.fromhex("8847") + labels + bytes(40))
    assert (packet.label, packet.labels) == ((16, 0, 0, 64), ((33, 5, 1, 63),))


def test_less_than_an_ethernet_header_is_no_frame() -> None:
    with pytest.raises(ValueError, match="no Ethernet header"):
        from_frame(bytes(13))


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    """Good frames, frames with some bytes changed, and frames cut short."""
    packet = draw(packets())
    packet.payload = draw(st.binary(max_size=24))
    frame = bytearray(to_frame(packet))
    for _ in range(draw(st.sampled_from((0, 0, 1, 2)))):
        frame[draw(st.integers(12, len(frame) - 1))] = draw(st.integers(0, 255))
    if draw(st.integers(0, 3)) == 0:
        del frame[draw(st.integers(14, len(frame))) :]
    return bytes(frame)


@st.composite
def layered(draw: st.DrawFn) -> bytes:
    """IP packets under any layout, with any of the transport headers or none that is known."""
    pairs: tuple[tuple[IPAddress, IPAddress], ...] = (IPV4, IPV6)
    addresses = draw(st.sampled_from(pairs))
    kind = draw(st.sampled_from(("tcp", "udp", "icmp", "sctp", "other", "asked", "known")))
    packet = transport_packet(kind, addresses)
    packet.payload = draw(st.binary(max_size=24)) if kind not in ("asked", "known") else b""
    return laid_out(packet, draw(layouts()))


def transport_packet(kind: str, addresses: tuple[IPAddress, IPAddress]) -> Packet:
    """A packet of a kind; neighbour discovery is another protocol in IPv4."""
    match kind, addresses:
        case "tcp", _:
            return build.tcp(MACS, addresses, (1000, 80))
        case "udp", _:
            return build.udp(MACS, addresses, (1000, 53))
        case "icmp", (IPv4Address() as one, IPv4Address() as other):
            return build.icmp(MACS, (one, other))
        case "icmp", (IPv6Address() as one, IPv6Address() as other):
            return build.icmpv6(MACS, (one, other))
        case "asked", (IPv6Address() as one, IPv6Address() as other):
            return build.neighbour_solicitation(MACS[0], one, other)
        case "known", (IPv6Address() as one, IPv6Address() as other):
            return build.neighbour_advertisement(MACS, (one, other), one)
        case "sctp", _:
            return build.ip(MACS, addresses, IpProto.SCTP).replace({F.SCTP_SRC: 1000, F.SCTP_DST: 80})
        case _:
            return build.ip(MACS, addresses, 47)


@pytest.mark.switch
@settings(
    max_examples=150,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(frames())  # an EtherType decides, Open vSwitch does not look at the version in a header
@example(
    bytes.fromhex(
        f"{ETHERNET.hex()}86dd0000000000081101{'fd' + '00' * 14 + '01'}{'fd' + '00' * 14 + '02'}00010002000805da"
    )
)
@example(bytes.fromhex(f"{ETHERNET.hex()}08000500001c0000000040110000c0a80001c0a800020001000200080000"))
def test_open_vswitch_sees_the_same_fields(switch: PrivateSwitch, frame: bytes) -> None:
    sees_the_same(switch, frame)


def sees_the_same(switch: PrivateSwitch, frame: bytes) -> None:
    # Given a flow that matches exactly what we read,
    seen = format_match(match(dict(data_fields(from_frame(frame)))))
    switch.replace_flows([f"{seen} actions=output:2"])
    # when the switch reads the frame, it is a match.
    text = switch.appctl("ofproto/trace", "br-int", "in_port=1", frame.hex())
    assert "output:2" in text, f"{frame.hex()}\n{seen}\n{text}"


IPV6_HEAD = f"{ETHERNET.hex()}86dd60000000{{size:04x}}{{kind:02x}}40{'fd' + '00' * 14 + '01'}{'fd' + '00' * 14 + '02'}"


@pytest.mark.switch
@settings(
    max_examples=60,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(layered())
@example(bytes.fromhex(IPV6_HEAD.format(size=4, kind=58) + "8000a743"))  # half of an ICMPv6 header
@example(
    bytes.fromhex(IPV6_HEAD.format(size=16, kind=135) + "1100000000000000" + "0043004400080000")
)  # mobility
@example(bytes.fromhex(IPV6_HEAD.format(size=8, kind=60) + "3a03000000000000"))  # a chain that breaks off
@example(  # the same option twice
    bytes.fromhex(
        IPV6_HEAD.format(size=40, kind=58)
        + f"8700000000000000fd{'00' * 14}02"
        + "0101020000000001"
        + "0101020000000002"
    )
)
def test_open_vswitch_sees_as_far_behind_the_ip_header(switch: PrivateSwitch, frame: bytes) -> None:
    sees_the_same(switch, frame)
