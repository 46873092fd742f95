"""Given two interfaces joined by the relay, when frames cross, then they are delayed, kept whole, and counted."""

import json
import socket
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from overlace.lab import namespace
from overlace.lab.errors import LabError
from overlace.lab.execution import ip_batch, run
from overlace.lab.process import read_pidfile, terminate
from overlace.lab.relay_client import ask_relay

pytestmark = pytest.mark.lab

BROADCAST = b"\xff" * 6
SOURCES = [bytes.fromhex(f"02000000000{number}") for number in range(3)]


class Wires:
    """A namespace with three stations, e0 to e2, whose far ends r0 to r2 the relay joins."""

    def __init__(self, netns: str, directory: Path, stations: int) -> None:
        self.directory = directory
        with namespace.entered(netns):
            self.stations = [self._station(f"e{number}") for number in range(stations)]

    def _station(self, interface: str) -> socket.socket:
        station = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        station.setsockopt(263, 23, 1)  # PACKET_IGNORE_OUTGOING
        station.bind((interface, 3))
        station.settimeout(1.0)
        return station

    def close(self) -> None:
        for station in self.stations:
            station.close()


def start(name: str, directory: Path, link: str, stations: int) -> Wires:
    netns = f"ovl-{name}-relay"
    namespace.create([netns])
    with namespace.entered(netns):
        namespace.write_sysctls({"ipv6/conf/default/disable_ipv6": "1"})
    lines = []
    for number in range(stations):
        lines.append(f"link add e{number} type veth peer name r{number}")
        lines += [f"link set e{number} up", f"link set r{number} up"]
    ip_batch(lines, netns=netns)
    config = {
        "links": [(link, [(f"r{number}", f"side{number}") for number in range(stations)], 1500)],
        "delay_ms": 20.0,
        "rate_mbit": 0.0,
        "loss_pct": 0.0,
        "control": str(directory / "relay.sock"),
        "pidfile": str(directory / "relay.pid"),
        "log": str(directory / "relay.log"),
    }
    (directory / "relay.json").write_text(json.dumps(config))
    run([sys.executable, "-m", "overlace.lab.relay", str(directory / "relay.json")], netns=netns)
    return Wires(netns, directory, stations)


@pytest.fixture
def directory(base: Path, name: str) -> Iterator[Path]:
    """Where a relay keeps its files; relay and namespace are gone afterwards."""
    path = base / f"relay-{name}"
    path.mkdir()
    yield path
    process = read_pidfile(path / "relay.pid")
    terminate([] if process is None else [process])
    namespace.remove([f"ovl-{name}-relay"])


@pytest.fixture
def pair(name: str, directory: Path) -> Iterator[Wires]:
    wires = start(name, directory, "wan", 2)
    yield wires
    wires.close()


def frame(destination: bytes, source: bytes, payload: bytes) -> bytes:
    return destination + source + b"\x88\xb5" + payload.ljust(46, b"\0")


def test_a_frame_arrives_whole_after_the_delay(pair: Wires) -> None:
    sent = frame(BROADCAST, SOURCES[0], b"hello")
    began = time.monotonic()
    pair.stations[0].send(sent)
    assert pair.stations[1].recv(2000) == sent
    assert 0.0195 < time.monotonic() - began < 0.2


def test_a_changed_delay_counts_from_the_next_frame(pair: Wires) -> None:
    ask_relay(pair.directory, {"link": "wan", "delay_ms": 150, "from": "side1"})
    began = time.monotonic()
    pair.stations[1].send(frame(BROADCAST, SOURCES[1], b"slow way"))
    pair.stations[0].recv(2000)
    assert 0.149 < time.monotonic() - began < 0.4
    status = ask_relay(pair.directory, {})["wan"]
    assert [(way.sender, way.delay_ms) for way in status] == [("side0", 20.0), ("side1", 150.0)]


def test_a_cut_is_silent_and_healing_restores(pair: Wires) -> None:
    ask_relay(pair.directory, {"link": "wan", "cut": True})
    pair.stations[0].send(frame(BROADCAST, SOURCES[0], b"lost"))
    pair.stations[1].settimeout(0.1)
    with pytest.raises(TimeoutError):
        pair.stations[1].recv(2000)
    ask_relay(pair.directory, {"link": "wan", "cut": False})
    pair.stations[0].send(frame(BROADCAST, SOURCES[0], b"again"))
    assert b"again" in pair.stations[1].recv(2000)
    assert ask_relay(pair.directory, {})["wan"][0].counters["cut"] == 1


def test_a_faulty_request_is_refused_and_the_relay_goes_on(pair: Wires) -> None:
    with pytest.raises(LabError, match="refused the request: KeyError"):
        ask_relay(pair.directory, {"link": "no such"})
    pair.stations[0].send(frame(BROADCAST, SOURCES[0], b"still here"))
    assert b"still here" in pair.stations[1].recv(2000)


def test_a_relay_that_is_not_there_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="relay does not answer"):
        ask_relay(tmp_path, {})


def test_three_sites_learn_where_each_other_is(name: str, directory: Path) -> None:
    wires = start(name, directory, "wan", 3)
    try:
        wires.stations[0].send(frame(BROADCAST, SOURCES[0], b"to all"))
        assert b"to all" in wires.stations[1].recv(2000)
        assert b"to all" in wires.stations[2].recv(2000)
        wires.stations[2].send(frame(SOURCES[0], SOURCES[2], b"to one"))
        assert b"to one" in wires.stations[0].recv(2000)
        wires.stations[1].settimeout(0.1)
        with pytest.raises(TimeoutError):
            wires.stations[1].recv(2000)
    finally:
        wires.close()


def test_a_link_between_switches_keeps_vlan_tags(name: str, directory: Path) -> None:
    wires = start(name, directory, "t1-t2", 2)
    try:
        tagged = BROADCAST + SOURCES[0] + struct.pack("!HH", 0x8100, 0x6000 | 42) + b"\x88\xb5" + bytes(46)
        wires.stations[1].setsockopt(263, 8, 1)  # PACKET_AUXDATA
        wires.stations[0].send(tagged)
        stripped, ancillary, _, _ = wires.stations[1].recvmsg(2000, 64)
        assert stripped == tagged[:12] + tagged[16:]
        assert struct.unpack("IIIHHHH", ancillary[0][2])[5] == 0x6000 | 42
    finally:
        wires.close()
