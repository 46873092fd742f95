"""Bytes that no well-behaved peer sends: for OpenFlow, OVSDB, HTTP, and frames of a tenant. All from a seed."""

import json
from collections.abc import Iterator
from ipaddress import IPv4Address
from random import Random
from typing import Any

from overlace.kit.addresses import Mac, link_local_address
from overlace.wire.dhcpv6.message import ALL_SERVERS
from overlace.wire.frames import arp_request, udp_frame
from overlace.wire.ipv6 import multicast_mac
from overlace.wire.openflow.codec import encode
from overlace.wire.openflow.messages import EchoRequest, FeaturesReply, Hello
from overlace.wire.udp import UdpDatagram

Stream = list[bytes]
"""What one connection sends, piece by piece."""

_HELLO = encode(Hello((6,)), 1)
_COOKIE = b"\x63\x82\x53\x63"


def mutated(random: Random, data: bytes) -> bytes:
    """The same with some bits turned, and perhaps cut or lengthened."""
    changed = bytearray(data)
    for _ in range(random.randint(1, 8)):
        if changed:
            changed[random.randrange(len(changed))] = random.randrange(256)
    if random.random() < 0.3:
        del changed[random.randrange(len(changed) + 1) :]
    if random.random() < 0.2:
        changed += random.randbytes(random.randint(1, 200))
    return bytes(changed)


def openflow(random: Random) -> Iterator[Stream]:
    """Before and after HELLO: noise, true headers over noise, wrong lengths, turned bits in true messages."""
    features = encode(FeaturesReply(random.getrandbits(63)), 2)
    while True:
        noise = random.randbytes(random.randint(1, 400))
        kind, length = random.randrange(36), random.choice((0, 7, 8, 9, 64, 65535))
        header = bytes((6, kind)) + length.to_bytes(2, "big") + random.randbytes(4)
        fitting = bytes((6, kind)) + (8 + len(noise)).to_bytes(2, "big") + random.randbytes(4) + noise
        yield [noise]
        yield [header + noise]
        yield [_HELLO, header + noise]
        yield [_HELLO, features, fitting * 3]
        yield [_HELLO, features, header]  # announced, never sent
        yield [_HELLO + features[: random.randrange(8, len(features))]]
        yield [mutated(random, _HELLO), mutated(random, features)]
        yield [_HELLO, features, *[mutated(random, encode(EchoRequest(noise), 3)) for _ in range(5)]]


def ovsdb(random: Random) -> Iterator[Stream]:
    """Broken, deep, huge and mistyped JSON; answers to what was asked that are none."""
    schema = json.dumps({"id": 1, "error": None, "result": {"name": "Open_vSwitch", "tables": {}}}).encode()
    while True:
        depth = random.randint(100, 100_000)
        values: list[Any] = [None, True, 10**400, -1, "x" * 1000, [], {}, [[]], {"a": {"b": []}}, 1e308]
        answer = {"id": random.choice([1, 2, "1", None]), "error": None, "result": random.choice(values)}
        update = {"id": None, "method": "update2", "params": random.choice(values)}
        yield [random.randbytes(random.randint(1, 400))]
        yield [b'{"id":' + b"[" * depth]
        yield [b'{"a":' * depth + b"1" + b"}" * depth]
        yield [b'{"id":1,"error":null,"result":"' + b"x" * 200_000]  # a string that never ends
        yield [b'{"id":' + b"9" * random.randint(1, 10_000) + b',"result":{},"error":null}']
        yield [json.dumps(answer).encode()]
        yield [json.dumps(update).encode()]
        yield [schema, json.dumps({**answer, "id": 2}).encode()]
        yield [mutated(random, schema)]
        yield [b'{"method":"echo","id":"e","params":[]}' * 200]
        yield [b'{"method":"' + random.randbytes(50) + b'","id":1,"params":[1]}']


def http(random: Random) -> Iterator[Stream]:
    """Request lines, headers, chunks and bodies that are wrong in every place."""
    while True:
        noise = random.randbytes(random.randint(1, 300))
        depth = random.randint(100, 50_000)
        good = b'POST /v2.0/networks HTTP/1.1\r\nhost: a\r\ncontent-length: 15\r\n\r\n{"network": {}}'
        chunked = b"POST /v2.0/networks HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
        yield [noise]
        yield [b"GET " + noise.replace(b"\r", b"").replace(b"\n", b"") + b" HTTP/1.1\r\nhost: a\r\n\r\n"]
        yield [b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nhost: a\r\n\r\n"]
        yield [b"GET / HTTP/1.1\r\n" + b"".join(b"h%d: %b\r\n" % (n, b"v" * 500) for n in range(500))]
        yield [b"GET / HTTP/1.1\r\nhost: a\r\nx: " + b"v" * 500_000]
        yield [chunked + b"ffffffffffffffff\r\n" + noise]
        yield [chunked + b"zz\r\n", noise]
        yield [chunked + b"5\r\nabc"]
        yield [mutated(random, good)]
        yield [_post(b"[" * depth)]
        yield [_post(b'{"network":' + b'{"name":' * depth + b"1" + b"}" * depth + b"}")]
        yield [_post(b'{"network": {"name": "' + noise + b'"}}')]
        yield [_post(b'{"network": {"name": "\\ud800", "mtu": ' + b"9" * 5000 + b"}}")]
        yield [b"GET /v2.0/networks?limit=" + b"9" * 5000 + b"&%ff%fe=%00 HTTP/1.1\r\nhost: a\r\n\r\n"]
        yield [b"GET /v2.0/networks/%00%ff/" + b"../" * 50 + b" HTTP/1.1\r\nhost: a\r\n\r\n"]
        yield [b"POST /v2.0/ports HTTP/1.1\r\nhost: a\r\ncontent-length: 999999999999\r\n\r\n{"]


def attributes(random: Random, own: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Bodies with one attribute of the wrong type or size each."""
    wrong: list[Any] = [
        None,
        True,
        -1,
        2**70,
        1.5,
        "",
        "\0",
        "x" * 5000,
        [],
        [None],
        [[]],
        {},
        {"a": 1},
        [{"a": []}],
    ]
    wrong += [
        "::ffff:0:0/200",
        "10.0.0.0/0",
        "ff:ff:ff:ff:ff:ff",
        "é\u202e",
        [{"ip_address": {}}],
        {"subnet_id": 7},
    ]
    while True:
        yield {**own, random.choice(list(own)): random.choice(wrong)}


def frames(random: Random, mac: Mac, address: IPv4Address) -> Iterator[bytes]:
    """What a guest may put on its wire: DHCP, ARP, ND and Ethernet, true ones and turned ones."""
    source, server = IPv4Address("0.0.0.0"), IPv4Address("255.255.255.255")
    broadcast = Mac(0xFFFFFFFFFFFF)
    while True:
        options = (
            _COOKIE + b"\x35\x01" + bytes((random.randrange(10),)) + random.randbytes(random.randrange(300))
        )
        fixed = (
            b"\x01\x01\x06\x00" + random.randbytes(4) + bytes(20) + mac.to_bytes(6, "big") + bytes(10 + 192)
        )
        dhcp = udp_frame(mac, broadcast, source, server, UdpDatagram(68, 67, fixed + options))
        noise = udp_frame(
            mac, broadcast, source, server, UdpDatagram(68, 67, random.randbytes(random.randrange(600)))
        )
        arp = arp_request(mac, address, IPv4Address(int(address) ^ random.randrange(256)))
        start = broadcast.to_bytes(6, "big") + mac.to_bytes(6, "big")
        kind = random.choice((0x0800, 0x0806, 0x86DD, 0x8100, 0x8035, 0x88CC, 5))
        solicit = b"\x33\x33\xff\x00\x00\x0b" + mac.to_bytes(6, "big") + b"\x86\xdd\x60\0\0\0\0\x20\x3a\xff"
        solicit += (
            random.randbytes(16)
            + b"\xff\x02"
            + bytes(11)
            + b"\xff\0\0\x0b"
            + b"\x87\0"
            + random.randbytes(30)
        )
        servers, me = Mac(multicast_mac(ALL_SERVERS)), link_local_address(mac)
        said = bytes((random.randrange(14),)) + random.randbytes(random.randrange(300))
        dhcpv6 = udp_frame(mac, servers, me, ALL_SERVERS, UdpDatagram(546, 547, said))
        yield dhcp
        yield dhcpv6
        yield noise
        yield dhcp[: random.randrange(14, len(dhcp))]
        for whole in (dhcp, dhcpv6, noise, arp, solicit):
            yield whole[:14] + mutated(random, whole[14:])[:1400]
        yield start + kind.to_bytes(2, "big") + random.randbytes(random.randrange(1400))
        yield arp[:22] + random.randbytes(20)


def _post(body: bytes) -> bytes:
    head = b"POST /v2.0/networks HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    return head % len(body) + body
