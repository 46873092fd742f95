"""Frames that must not get from one tenant to another: of many kinds, from a guest and from the underlay."""

import socket
import struct
import time
from collections.abc import Mapping
from ipaddress import IPv4Address

from tools.cloud import Cloud

from overlace.kit.addresses import BROADCAST, Mac
from overlace.lab.namespace import entered
from overlace.wire.frames import arp_request, gratuitous_arp, rarp, udp_frame
from overlace.wire.udp import UdpDatagram

MAGIC = b"overlace-isolation-probe"


def isolation(cloud: Cloud, rounds: int = 400) -> dict[str, int]:
    """Frames of many kinds from red; whatever carries the mark must not reach blue."""
    me, peer, spoofed = Mac(0x02000000000B), Mac(0x02000000000C), Mac(0x0200000000EE)
    mine, other = IPv4Address("192.168.0.11"), IPv4Address("192.168.0.12")
    controller = IPv4Address(cloud.lab.controller_address)
    mark = UdpDatagram(4000, 4001, MAGIC)
    good = udp_frame(me, peer, mine, other, mark)

    def ether(destination: int, source: int, kind: int, payload: bytes) -> bytes:
        return destination.to_bytes(6, "big") + source.to_bytes(6, "big") + struct.pack("!H", kind) + payload

    fragment = bytearray(good)
    fragment[20:22] = b"\x20\x00"
    vxlan = b"\x08\0\0\0" + (4097).to_bytes(3, "big") + b"\0" + good
    reserved = b"\x08\0\0\0" + (0xFFFF01).to_bytes(3, "big") + b"\0" + good
    kinds = [
        good,
        udp_frame(spoofed, peer, mine, other, mark),
        udp_frame(me, peer, IPv4Address("192.168.0.14"), other, mark),
        udp_frame(me, BROADCAST, mine, IPv4Address("255.255.255.255"), mark),
        udp_frame(me, Mac(0x0200DEADBEEF), mine, other, mark),
        udp_frame(me, Mac(0x01005E000001), mine, IPv4Address("224.0.0.1"), mark),
        udp_frame(me, peer, mine, controller, UdpDatagram(4000, 6653, MAGIC)),
        udp_frame(me, peer, mine, IPv4Address("10.2.0.1"), UdpDatagram(4000, 4789, vxlan + MAGIC)),
        udp_frame(me, BROADCAST, mine, IPv4Address("10.2.0.1"), UdpDatagram(4000, 4789, reserved + MAGIC)),
        ether(peer, me, 0x8100, b"\x00\x05\x08\x00" + good[14:]),
        ether(BROADCAST, me, 0x88A8, b"\x00\x05\x81\x00\x00\x06\x08\x00" + good[14:]),
        ether(0x0180C2000000, me, 0x26, b"\x42\x42\x03" + MAGIC.ljust(35, b"\0")),
        ether(BROADCAST, me, 0x88CC, MAGIC.ljust(46, b"\0")),
        ether(peer, me, 0x86DD, MAGIC.ljust(60, b"\0")),
        ether(peer, me, 0x0800, b"\x4f" + MAGIC.ljust(60, b"\xff")),
        bytes(fragment),
        arp_request(me, controller, other).ljust(60, b"\0") + MAGIC,
        arp_request(spoofed, mine, other).ljust(60, b"\0") + MAGIC,
        gratuitous_arp(me, IPv4Address("192.168.0.12")).ljust(60, b"\0") + MAGIC,
        rarp(spoofed).ljust(60, b"\0") + MAGIC,
    ]
    ears = {name: packet_socket(cloud, name) for name in cloud.ports if name.startswith("blue")}
    control = packet_socket(cloud, "red2")
    mouth = packet_socket(cloud, "red1")
    probes = 0
    for _ in range(rounds):
        for frame in kinds:
            mouth.send(frame)
            probes += 1
        time.sleep(0.002)
    probes += from_the_underlay(cloud, udp_frame(me, Mac(0x02000000000D), mine, other, mark))
    time.sleep(1)
    heard = count(control)
    leaked = sum(count(ear) for ear in ears.values())
    if not heard:
        raise SystemExit("the isolation probe is deaf: not even its own tenant hears it")
    return {"probes": probes, "leaked": leaked, "heard_by_own_tenant": heard}


def from_the_underlay(cloud: Cloud, frame: bytes, number: int = 3000) -> int:
    """VXLAN packets to h3 from an address that is no host's: VNIs of nobody, of a tenant, and of Overlace."""
    with entered(cloud.lab.plan.routers[0].namespace):
        stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    target = (str(cloud.lab.host("h3").endpoints[0]), 4789)
    for each in range(number):
        vni = (77, 4097, 0xFFFF01)[each % 3]
        stranger.sendto(b"\x08\0\0\0" + vni.to_bytes(3, "big") + b"\0" + frame, target)
        if each % 50 == 0:
            time.sleep(0.001)
    return number


def packet_socket(cloud: Cloud, workload: str) -> socket.socket:
    with entered(cloud.namespace(workload)):
        opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    opened.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)
    opened.bind(("eth0", 3))
    opened.setblocking(False)
    return opened


def arrivals(ears: Mapping[str, socket.socket], expected: Mapping[str, int]) -> dict[str, int]:
    """How many of the marked frames have come to each: as soon as those that are expected have, or after five seconds;
    and half a second later, for one too many."""
    found = dict.fromkeys(ears, 0)

    def listen() -> bool:
        for name, ear in ears.items():
            found[name] += count(ear)
        return all(found[name] >= expected.get(name, 0) for name in ears)

    end = time.monotonic() + 5
    while not listen() and time.monotonic() < end:
        time.sleep(0.02)
    time.sleep(0.5)
    listen()
    return found


def count(ear: socket.socket) -> int:
    found = 0
    while True:
        try:
            frame, address = ear.recvfrom(4096)
        except BlockingIOError:
            return found
        found += MAGIC in frame and address[2] != socket.PACKET_OUTGOING
