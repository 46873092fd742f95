"""What an admitted host may say instead of what its switch has said: for OpenFlow and OVSDB, all from a seed."""

import json
from collections.abc import Iterable, Iterator
from random import Random
from typing import Any

from tests.app.bad_bytes import mutated
from tests.app.villain import Attack

from overlace.datapath.fields import Field
from overlace.datapath.flow import Flow
from overlace.datapath.match import Match, match
from overlace.southbound.database_view import SELECTION
from overlace.wire.openflow.codec import encode
from overlace.wire.openflow.messages import (
    Error,
    FeaturesReply,
    FlowEntry,
    FlowRemoved,
    FlowStatsReply,
    Message,
    PacketIn,
    PortDescReply,
    PortDescription,
    PortStatus,
    Role,
    RoleStatus,
)

_MULTIPART = 19
_WORST = 2**63 - 1


# --- OpenFlow ----------------------------------------------------------------------------------------------


def openflow(random: Random, others: int) -> Iterator[Attack]:
    """After a true handshake: noise, true headers over noise, wrong lengths, turned bits, nonsense in good form.

    `others`: the datapath id of a host that is honest.
    """
    while True:
        noise = random.randbytes(random.randint(1, 400))
        kind, place = random.randrange(36), random.randrange(2, 14)
        length = random.choice((0, 7, 8, 9, 64, 65535))
        header = bytes((6, kind)) + length.to_bytes(2, "big") + random.randbytes(4)
        yield at(place, noise)
        yield at(place, header + noise)
        yield at(place, *[_framed(random.randrange(36), random.randbytes(4), noise) for _ in range(20)])
        yield turned(random, 2, 0.3)
        yield turned_inside(random, 2, 0.5)
        yield at(place, *[encode(each, random.getrandbits(31)) for each in nonsense(random, others)])
        yield cut(random, place)
        yield answered(random)


def nonsense(random: Random, others: int) -> Iterable[Message]:
    """Messages in good form that no sane switch sends."""
    number = random.choice((0, 1, 0xFFFFFF00, 0xFFFFFFFE, 0xFFFFFFFF))
    name = random.choice(("", "eth0", "\0\0", "\u202e" * 5, "x" * 15))
    port = PortDescription(number, name, random.getrandbits(48), 0xFFFFFFFF, 0xFFFFFFFF)
    frame = random.randbytes(random.randrange(200))
    metadata = match(
        {Field.IN_PORT: number, Field.METADATA: random.getrandbits(64), Field.TUN_ID: random.getrandbits(64)}
    )
    userdata = random.randbytes(random.randrange(40))
    yield FeaturesReply(others)
    yield FeaturesReply(random.getrandbits(64))
    for reason in (0, 1, 2, 255):
        yield PortStatus(reason, port)
    for cookie in (0, random.getrandbits(64), 0xFFFFFFFFFFFFFFFF, random.randrange(64) << 56):
        table = random.randrange(256)
        yield PacketIn(frame, random.getrandbits(16), random.randrange(8), table, cookie, metadata, userdata)
        yield FlowRemoved(table, 65535, metadata, cookie, 255)
    yield RoleStatus(Role.SLAVE, 255, _WORST)
    yield PortDescReply((port, port))
    yield Error(random.randrange(65536), random.randrange(65536), frame)


def endless_answer(parts: int) -> Attack:
    """An answer about flows that has always more; so many parts are never reached."""
    entry = FlowEntry(Flow(0, 1, Match(), (), cookie=1), 0, 0, 0.0)
    part = FlowStatsReply((entry,) * 500, more=True)

    def attack(_: int, message: bytes) -> Iterable[bytes]:
        if not _is_about_flows(message):
            yield message
            return
        piece = encode(part, int.from_bytes(message[4:8], "big"))
        for _ in range(parts):
            yield piece

    return attack


def flood(messages: list[bytes], rounds: int) -> Attack:
    """The same over and over, once the switch is asked for its flows."""

    def attack(_: int, message: bytes) -> Iterable[bytes]:
        yield message
        if _is_about_flows(message):
            for _ in range(rounds):
                yield b"".join(messages)

    return attack


def _is_about_flows(message: bytes) -> bool:
    return message[1] == _MULTIPART and message[8:10] == encode(FlowStatsReply(()), 0)[8:10]


def _framed(kind: int, xid: bytes, body: bytes) -> bytes:
    return bytes((6, kind)) + (8 + len(body)).to_bytes(2, "big") + xid + body


# --- OVSDB -------------------------------------------------------------------------------------------------


def ovsdb(random: Random, honest_host: str) -> Iterator[Attack]:
    """After the schema, after the contents, later: broken, deep and huge JSON, wrong types, rows that cannot be."""
    while True:
        depth, place = random.randint(100, 50_000), random.randrange(2)
        yield at(place, random.randbytes(random.randint(1, 300)))
        yield at(place, b'{"id":' + b"[" * depth)
        yield at(place, b'{"id":1,"result":' + b'{"a":' * depth + b"1" + b"}" * depth + b',"error":null}')
        yield at(place, b'{"id":' + b"9" * random.randint(1, 9000) + b',"result":{},"error":null}')
        yield turned(random, 0, 0.4)
        yield reshaped(random, 0, 0.5)
        yield reshaped(random, 1, 0.9)
        yield at(1, *[update(random) for _ in range(8)])
        yield at(1, row("Open_vSwitch", {"external_ids": ["map", [["hostname", honest_host]]]}))
        yield cut(random, place)
        yield at(1, json.dumps({"id": None, "method": "monitor_canceled", "params": ["overlace"]}).encode())


def update(random: Random) -> bytes:
    """A change of one row: any table, any column, often of the right type."""
    table = random.choice(list(SELECTION))
    columns = {name: value(random) for name in random.sample(SELECTION[table], 2)}
    return row(table, columns, random.choice(("insert", "modify", "delete", "initial", "other")))


def row(table: str, columns: dict[str, Any], kind: str = "insert") -> bytes:
    """A notification of one row."""
    changed = {table: {f"00000000-0000-0000-0000-00000000000{len(columns) % 10}": {kind: columns}}}
    return json.dumps({"id": None, "method": "update2", "params": ["overlace", changed]}).encode()


def value(random: Random) -> Any:
    """Something that stands in a column, or cannot."""
    plain: list[Any] = [
        0,
        -1,
        1,
        _WORST,
        -(2**63),
        2**70,
        1.5,
        1e308,
        True,
        None,
        "",
        "x" * 3000,
        "\0",
        "\ud800",
    ]
    plain += [
        "9" * 5000,
        "02:00:00:00:00:0b",
        "6000000000000000000000000000000000",
        "br-overlace",
        "up",
        {},
        [],
    ]
    inner = random.choice(plain)
    uuid = ["uuid", random.choice(("00000000-0000-0000-0000-000000000001", "nothing", 7))]
    words = ("iface-id", "attached-mac", "hostname", "overlace", "", "remote_ip", "key", "state", "mtu")
    pairs = [[random.choice(words), random.choice(plain)] for _ in range(3)]
    return random.choice(
        [
            inner,
            ["set", [inner]],
            ["set", []],
            ["set", plain],
            ["map", pairs],
            ["map", [inner]],
            uuid,
            ["set", [uuid]],
        ]
    )


def endless_rows(number: int) -> Attack:
    """Interfaces without end, each with a kilobyte of notes."""

    def attack(place: int, message: bytes) -> Iterable[bytes]:
        yield message
        if place == 1:
            for start in range(0, number, 1000):
                rows = {
                    f"00000000-0000-0000-0000-{start + n:012d}": {
                        "insert": {"name": f"i{start + n}", "external_ids": ["map", [["n", "x" * 1000]]]}
                    }
                    for n in range(1000)
                }
                params = ["overlace", {"Interface": rows}]
                yield json.dumps({"id": None, "method": "update2", "params": params}).encode()

    return attack


# --- both --------------------------------------------------------------------------------------------------


def at(place: int, *instead: bytes) -> Attack:
    """The message of that number, and then something of one's own."""

    def attack(number: int, message: bytes) -> Iterable[bytes]:
        yield message
        if number == place:
            yield from instead

    return attack


def cut(random: Random, place: int) -> Attack:
    """Half of a message, and nothing after it."""

    def attack(number: int, message: bytes) -> Iterable[bytes]:
        if number < place:
            yield message
        elif number == place:
            yield message[: random.randrange(len(message))]

    return attack


def turned(random: Random, first: int, share: float) -> Attack:
    """Turned bits anywhere, lengths among them."""

    def attack(number: int, message: bytes) -> Iterable[bytes]:
        yield mutated(random, message) if number >= first and random.random() < share else message

    return attack


def turned_inside(random: Random, first: int, share: float) -> Attack:
    """Turned bits after the header, in a frame that fits."""

    def attack(number: int, message: bytes) -> Iterable[bytes]:
        if number < first or random.random() > share or len(message) <= 8:
            yield message
            return
        body = bytearray(message[8:])
        for _ in range(random.randint(1, 6)):
            body[random.randrange(len(body))] = random.randrange(256)
        yield message[:8] + body

    return attack


def answered(random: Random) -> Attack:
    """Every answer is of the right kind, for the right question, and filled with noise."""

    def attack(number: int, message: bytes) -> Iterable[bytes]:
        if number < 2:
            yield message
        else:
            kept = 16 if message[1] == _MULTIPART else 8
            yield message[:kept] + random.randbytes(len(message) - kept) if len(message) > kept else message

    return attack


def reshaped(random: Random, first: int, share: float) -> Attack:
    """Good JSON of the same outline, with a value somewhere inside that does not belong there."""

    def attack(number: int, message: bytes) -> Iterable[bytes]:
        if number < first or random.random() > share:
            yield message
        else:
            yield json.dumps(_reshaped(random, json.loads(message))).encode()

    return attack


def _reshaped(random: Random, document: Any) -> Any:
    if isinstance(document, dict) and document and random.random() < 0.95:
        name = random.choice(list(document))
        return {**document, name: _reshaped(random, document[name])}
    if isinstance(document, list) and document and random.random() < 0.95:
        place = random.randrange(len(document))
        return [*document[:place], _reshaped(random, document[place]), *document[place + 1 :]]
    return value(random)
