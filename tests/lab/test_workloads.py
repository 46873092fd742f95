"""Given workloads on an overlay made by hand, when they talk and move, then nothing they hold is lost."""

import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from overlace.lab import namespace
from overlace.lab.errors import LabError
from overlace.lab.lab import Lab

from .background import beside, first_line
from .overlay import join_by_hand, leave_by_hand, mac

pytestmark = pytest.mark.lab

ECHO_SERVER = """
import socket
listener = socket.create_server(("192.168.0.2", 7))
print("ready", flush=True)
connection, _ = listener.accept()
while data := connection.recv(4096):
    connection.sendall(data)
"""
# Sends numbered beats until told to stop and checks that each comes back.
ECHO_CLIENT = """
import socket, time
server = socket.create_connection(("192.168.0.2", 7), timeout=20)
end = time.monotonic() + 2.5
beats = 0
print("connected", flush=True)
while time.monotonic() < end:
    server.sendall(b"%8d" % beats)
    answer = b""
    while len(answer) < 8:
        answer += server.recv(8 - len(answer))
    assert int(answer) == beats
    beats += 1
    time.sleep(0.002)
print(beats, flush=True)
"""


@pytest.fixture
def overlay(lab: Lab) -> Iterator[Lab]:
    """The laboratory with h1, h2 and h3 joined by hand and no delay between sites."""
    lab.wan(delay_ms=0)
    join_by_hand(lab, "h1", "h2", "h3")
    yield lab
    for workload in lab.workloads:
        lab.detach(workload.name)
    leave_by_hand(lab, "h1", "h2", "h3")


def pings(lab: Lab, source: str, address: str, *options: str) -> bool:
    """Whether one of a few pings comes back; the first may be lost to tunnel address resolution."""
    once = ["ping", "-c", "1", "-W", "1", *options, address]
    return any(lab.exec(source, once, check=False).status == 0 for _ in range(10))


@pytest.mark.parametrize("family", [0, 1], ids=["ipv4 underlay", "ipv6 underlay"])
def test_workloads_talk_across_sites(overlay: Lab, family: int) -> None:
    leave_by_hand(overlay, "h1", "h3")
    join_by_hand(overlay, "h1", "h3", family=family)
    overlay.attach("h1", "w1", mac=mac(1), iface_id="p1", ips=["192.168.0.1/24", "fd99::1/64"])
    overlay.attach("h3", "w3", mac=mac(3), iface_id="p3", ips=["192.168.0.3/24", "fd99::3/64"])
    assert pings(overlay, "w1", "192.168.0.3")
    assert pings(overlay, "w1", "fd99::3")
    assert pings(overlay, "w1", "192.168.0.3", "-M", "do", "-s", str(1500 - 28))


def test_tcp_works_between_workloads(overlay: Lab) -> None:
    overlay.attach("h1", "w1", mac=mac(1), iface_id="p1", ips=["192.168.0.1/24"])
    overlay.attach("h2", "w2", mac=mac(2), iface_id="p2", ips=["192.168.0.2/24"])
    with beside(overlay.popen("w2", [sys.executable, "-c", ECHO_SERVER])) as server:
        assert first_line(server) == "ready"
        with beside(overlay.popen("w1", [sys.executable, "-c", ECHO_CLIENT])) as client:
            output, errors = client.communicate(timeout=30)
    assert int(output.split()[-1]) > 100, errors


def test_the_port_tells_who_it_is(overlay: Lab) -> None:
    overlay.attach("h1", "w1", mac="FA:16:3E:00:00:01", iface_id="9a2e-port", ips=["192.168.0.1/24"])
    query = ["ovs-vsctl", "get", "Interface", overlay.workload("w1").host_interface]
    told = overlay.host_run("h1", [*query, "external_ids:iface-id", "external_ids:attached-mac"]).stdout
    assert told.replace('"', "").split() == ["9a2e-port", "fa:16:3e:00:00:01"]


def test_a_default_gateway_is_set(overlay: Lab) -> None:
    overlay.attach(
        "h1",
        "w1",
        mac=mac(1),
        iface_id="p1",
        ips=["192.168.0.1/24", "fd99::1/64"],
        gateways=["192.168.0.254", "fd99::fe"],
    )
    assert "default via 192.168.0.254" in overlay.exec("w1", ["ip", "route"]).stdout
    assert "default via fd99::fe" in overlay.exec("w1", ["ip", "-6", "route"]).stdout


def test_an_open_connection_survives_a_move(overlay: Lab) -> None:
    overlay.attach("h1", "w1", mac=mac(1), iface_id="p1", ips=["192.168.0.1/24"])
    overlay.attach("h2", "w2", mac=mac(2), iface_id="p2", ips=["192.168.0.2/24"])
    with beside(overlay.popen("w2", [sys.executable, "-c", ECHO_SERVER])) as server:
        assert first_line(server) == "ready"
        with beside(overlay.popen("w1", [sys.executable, "-c", ECHO_CLIENT])) as client:
            assert first_line(client) == "connected"
            time.sleep(0.5)
            cutover = overlay.move("w1", "h3")
            output, errors = client.communicate(timeout=30)
    assert (cutover.source, cutover.destination) == ("h1", "h3")
    assert int(output) > 50, errors
    assert overlay.workload("w1").active.host == "h3"
    assert "vp" not in overlay.host_run("h1", ["ovs-vsctl", "list-ports", "br-overlace"]).stdout


SO_TIMESTAMPNS = 35
TIMESPEC = struct.Struct("@qq")


class Watch:
    """Notes when frames from a workload come out at a host's end of its cable, by the kernel's clock (socket(7)).

    A thread that reads late would tell its own delay for the frame's.
    """

    def __init__(self, lab: Lab, host: str, interface: str) -> None:
        self.seen: list[tuple[float, bytes]] = []
        self._stop = threading.Event()
        with namespace.entered(lab.host(host).namespace):
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            self._socket.setsockopt(263, 23, 1)  # PACKET_IGNORE_OUTGOING
            self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            self._socket.bind((interface, 3))
        self._socket.settimeout(0.05)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                frame, [(_, _, when)], _, _ = self._socket.recvmsg(2000, socket.CMSG_SPACE(TIMESPEC.size))
            except (TimeoutError, OSError):
                continue
            seconds, nanoseconds = TIMESPEC.unpack(when)
            self.seen.append((seconds + nanoseconds / 1e9, frame))

    def stop(self) -> list[tuple[float, bytes]]:
        self._stop.set()
        self._thread.join()
        self._socket.close()
        return self.seen


# One datagram every 0.2 ms to an address that need not exist: only the way out is watched.
SENDER = """
import socket, time
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
print("ready", flush=True)
for number in range(20000):
    sender.sendto(b"%8d" % number, ("192.168.0.99", 9))
    time.sleep(0.0002)
"""


def test_the_cut_over_loses_next_to_nothing_and_announces_once(overlay: Lab) -> None:
    workload = overlay.attach("h1", "w1", mac=mac(1), iface_id="p1", ips=["192.168.0.1/24"])
    neighbour = ["ip", "neigh", "add", "192.168.0.99", "lladdr", mac(99), "dev", "eth0"]
    overlay.exec("w1", neighbour)
    overlay.prepare_move("w1", "h3")
    with beside(overlay.popen("w1", [sys.executable, "-c", SENDER])) as sender:
        assert first_line(sender) == "ready"
        watches = [Watch(overlay, host, workload.host_interface) for host in ("h1", "h3")]
        time.sleep(0.2)
        cutover = overlay.complete_move("w1")
        time.sleep(0.2)
        source, destination = (watch.stop() for watch in watches)
    overlay.release_move("w1")
    numbers = [int(frame[42:50]) for _, frame in source + destination if frame[12:14] == b"\x08\x00"]
    missing = set(range(min(numbers), max(numbers) + 1)) - set(numbers)
    gap = destination[0][0] - source[-1][0]
    assert cutover.announced
    assert [frame[12:14] for _, frame in destination].count(b"\x80\x35") == 1
    assert not any(frame[12:14] == b"\x80\x35" for _, frame in source)
    assert source[-1][0] < destination[0][0]
    # What was measured is below 1 ms; the bound leaves room for a busy machine.
    assert gap < 0.02
    assert len(missing) < 10


def test_a_prepared_move_carries_nothing_and_can_be_aborted(overlay: Lab) -> None:
    overlay.attach("h1", "w1", mac=mac(1), iface_id="p1", ips=["192.168.0.1/24"])
    overlay.attach("h2", "w2", mac=mac(2), iface_id="p2", ips=["192.168.0.2/24"])
    overlay.prepare_move("w1", "h3")
    watch = Watch(overlay, "h3", overlay.workload("w1").host_interface)
    assert pings(overlay, "w1", "192.168.0.2")
    assert watch.stop() == []
    assert overlay.abort_move("w1").active.host == "h1"
    assert "vp" not in overlay.host_run("h3", ["ovs-vsctl", "list-ports", "br-overlace"]).stdout
    assert pings(overlay, "w1", "192.168.0.2")


def test_steps_out_of_order_are_refused(overlay: Lab) -> None:
    overlay.attach("h1", "w1", mac=mac(1), iface_id="p1", ips=["192.168.0.1/24"])
    with pytest.raises(LabError, match="no prepared move: prepare one"):
        overlay.complete_move("w1")
    with pytest.raises(LabError, match="nothing to release"):
        overlay.release_move("w1")
    with pytest.raises(LabError, match="is at h1 already"):
        overlay.prepare_move("w1", "h1")
    overlay.prepare_move("w1", "h3")
    with pytest.raises(LabError, match="prepared for h3: complete or abort"):
        overlay.prepare_move("w1", "h2")
    overlay.complete_move("w1")
    with pytest.raises(LabError, match="still holds h1: release"):
        overlay.prepare_move("w1", "h2")


def test_faulty_wishes_are_refused_before_anything_is_made(overlay: Lab) -> None:
    for wish, message in (
        ({"name": "h2"}, "not the name of a host"),
        ({"mac": "01:00:5e:00:00:01"}, "not a unicast MAC"),
        ({"ip": "192.168.0.1"}, "no prefix length"),
        ({"ip": "300.0.0.1/24"}, "write it with prefix length"),
        ({"host": "h9"}, "no host is called 'h9'"),
        ({"bridge": "br-none"}, "host 'h1' has no bridge 'br-none': join the host"),
    ):
        with pytest.raises(LabError, match=message):
            overlay.attach(
                wish.get("host", "h1"),
                wish.get("name", "w1"),
                mac=wish.get("mac", mac(1)),
                iface_id="p1",
                ips=[wish.get("ip", "192.168.0.1/24")],
                bridge=wish.get("bridge", "br-overlace"),
            )
    assert overlay.workloads == ()
    assert namespace.existing(f"ovl-{overlay.name}-w-") == ()


def test_a_name_twice_is_refused_and_the_first_stays(overlay: Lab) -> None:
    overlay.attach("h1", "w1", mac=mac(1), iface_id="p1", ips=["192.168.0.1/24"])
    with pytest.raises(LabError, match="attached already"):
        overlay.attach("h2", "w1", mac=mac(2), iface_id="p2")
    assert overlay.exec("w1", ["true"]).status == 0
