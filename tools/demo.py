"""`make demo`: two tenants with equal addresses on four hosts at two sites, with real packets all the way.

Prints a table and writes build/demo.json. With KEEP=1 in the environment the laboratory stays up for use.
"""

import ctypes
import http.client
import json
import os
import re
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tools.echo_stream import EchoStream

from overlace.app.clock import SystemClock
from overlace.cli.join import Place, tls_script
from overlace.lab.lab import Lab
from overlace.pki.issuer import TOKEN_LIFETIME, Issuer
from overlace.wire.frames import arp_request, gratuitous_arp, rarp, udp_frame
from overlace.wire.udp import UdpDatagram

ROOT = Path(__file__).parent.parent
TENANTS = ("red", "blue")
BRIDGE = "br-overlace"
OFCTL = ("ovs-ofctl", "-O", "OpenFlow15")
CLONE_NEWNET = 0x40000000
MAGIC = b"overlace-isolation-probe"


@contextmanager
def inside(namespace: str) -> Iterator[None]:
    """Sockets opened in the block belong to the network namespace, also afterwards."""
    libc = ctypes.CDLL(None, use_errno=True)
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    try:
        if libc.setns(there, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"cannot enter {namespace}")
        try:
            yield
        finally:
            libc.setns(home, CLONE_NEWNET)
    finally:
        os.close(home)
        os.close(there)


class Cloud:
    """The laboratory, the controller in it, and the API as a client sees it."""

    serve_options: tuple[str, ...] = ()
    """What `overlace serve` is told besides where its files and switches are."""

    def __init__(self, lab: Lab, directory: Path) -> None:
        self.lab = lab
        self.directory = directory
        self.ports: dict[str, dict[str, Any]] = {}
        self.networks: dict[str, str] = {}
        self._controller: subprocess.Popen[bytes] | None = None
        self._connection: http.client.HTTPConnection | None = None

    def start(self) -> None:
        serve = [f"{ROOT}/.venv/bin/overlace", "serve", "--database", f"{self.directory}/overlace.db"]
        serve += ["--pki", f"{self.directory}/pki"]
        command = ["ip", "netns", "exec", self.lab.controller_namespace, *serve]
        command += ["--switch-address", self.lab.controller_address, *self.serve_options]
        with (self.directory / "controller.log").open("ab") as log:
            self._controller = subprocess.Popen(command, stdout=log, stderr=log)
        until(lambda: self._answers(), "the controller does not answer", 20)

    def kill(self) -> None:
        if self._controller is not None:
            self._controller.kill()
            self._controller.wait()
        self._connection = None

    def _answers(self) -> bool:
        try:
            return bool(self.api("GET", "/"))
        except OSError:
            self._connection = None
            return False

    def api(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        if self._connection is None:
            connection = http.client.HTTPConnection("127.0.0.1", 9696, timeout=10)
            with inside(self.lab.controller_namespace):
                connection.connect()
            self._connection = connection
        text = None if body is None else json.dumps(body)
        try:
            self._connection.request(method, path, text, {"content-type": "application/json"})
            reply = self._connection.getresponse()
        except (BrokenPipeError, ConnectionResetError, http.client.RemoteDisconnected):
            self._connection = None  # the server closes what is idle
            return self.api(method, path, body)
        answer: dict[str, Any] = json.loads(reply.read() or b"{}")
        if reply.status >= 400:
            raise SystemExit(f"{method} {path}: {reply.status} {answer}")
        return answer

    def join_hosts(self, addresses: int = 1) -> None:
        """Every host, with so many of its underlay addresses, the first of them preferred."""
        for site in sorted({self.lab.host(name).site for name in host_names(self.lab)}):
            self.api("POST", "/v2.0/overlace/sites", {"site": {"id": site, "mtu": 1600}})
        for name in host_names(self.lab):
            node = self.lab.host(name)
            used = enumerate(node.endpoints[:addresses])
            endpoints = [{"address": str(address), "preference": rank} for rank, address in used]
            host = {"id": name, "site_id": node.site, "endpoints": endpoints}
            self.api("POST", "/v2.0/overlace/hosts", {"host": host})
            self.join(Place(name, self.lab.controller_address, BRIDGE, "netdev"))
        names = host_names(self.lab)
        until(lambda: all(self.switch(name).get("acknowledged") for name in names), "hosts do not join", 20)

    def join(self, place: Place) -> None:
        script = tls_script(place, Issuer.open(self.directory / "pki", SystemClock()), TOKEN_LIFETIME)
        self.lab.host_run(place.name, ["sh", "-c", script])

    def switch(self, name: str) -> dict[str, Any]:
        found = self.api("GET", "/v2.0/overlace/status")["status"]["switches"].get(name, {})
        return dict(found) if found.get("connected") else {}

    def tenant(self, name: str) -> None:
        network = self.api("POST", "/v2.0/networks", {"network": {"name": name, "project_id": name}})[
            "network"
        ]
        self.networks[name] = network["id"]
        for version, cidr in ((4, "192.168.0.0/24"), (6, "fd00::/64")):
            subnet = {"network_id": network["id"], "ip_version": version, "cidr": cidr, "project_id": name}
            self.api("POST", "/v2.0/subnets", {"subnet": subnet})

    def port(self, name: str, octet: int, **more: object) -> dict[str, Any]:
        tenant = name.rstrip("0123456789")
        addresses = [{"ip_address": f"192.168.0.{octet}"}, {"ip_address": f"fd00::{octet:x}"}]
        port = {
            "name": name,
            "network_id": self.networks[tenant],
            "project_id": tenant,
            "mac_address": f"02:00:00:00:00:{octet:02x}",
            "fixed_ips": addresses,
        }
        self.ports[name] = self.api("POST", "/v2.0/ports", {"port": port | more})["port"]
        return self.ports[name]

    def workload(self, name: str, host: str, octet: int, iface_id: str) -> None:
        self.lab.attach(
            host,
            name,
            mac=f"02:00:00:00:00:{octet:02x}",
            iface_id=iface_id,
            ips=[f"192.168.0.{octet}/24", f"fd00::{octet:x}/64"],
        )

    def status(self, name: str) -> str:
        return str(self.api("GET", f"/v2.0/ports/{self.ports[name]['id']}")["port"]["status"])

    def namespace(self, workload: str) -> str:
        return f"ovl-{self.lab.name}-w-{workload}"


def host_names(lab: Lab) -> list[str]:
    return [each if isinstance(each, str) else each.name for each in lab.hosts]


def until(condition: Callable[[], bool], complaint: str, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(complaint)
        time.sleep(0.05)


def pings(cloud: Cloud) -> dict[str, int]:
    """Every workload to every other of its tenant, over IPv4 and IPv6, all at once."""
    running = []
    for tenant in TENANTS:
        for source in range(1, 5):
            for target in set(range(1, 5)) - {source}:
                for address in (f"192.168.0.{10 + target}", f"fd00::{10 + target:x}"):
                    command = ["ping", "-c", "2", "-i", "0.2", "-W", "2", address]
                    running.append(cloud.lab.popen(f"{tenant}{source}", command))
    return {"sent": 2 * len(running), "answered": sum(received(each.communicate()[0]) for each in running)}


def received(output: str) -> int:
    found = re.search(r"(\d+) received", output)
    return int(found[1]) if found else 0


def isolation(cloud: Cloud, rounds: int = 400) -> dict[str, int]:
    """Frames of many kinds from red; whatever carries the mark must not reach blue."""
    from ipaddress import IPv4Address

    from overlace.kit.addresses import BROADCAST, Mac

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
    with inside(cloud.lab.plan.routers[0].namespace):
        stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    target = (str(cloud.lab.host("h3").endpoints[0]), 4789)
    for each in range(number):
        vni = (77, 4097, 0xFFFF01)[each % 3]
        stranger.sendto(b"\x08\0\0\0" + vni.to_bytes(3, "big") + b"\0" + frame, target)
        if each % 50 == 0:
            time.sleep(0.001)
    return number


def packet_socket(cloud: Cloud, workload: str) -> socket.socket:
    with inside(cloud.namespace(workload)):
        opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    opened.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)
    opened.bind(("eth0", 3))
    opened.setblocking(False)
    return opened


def count(ear: socket.socket) -> int:
    found = 0
    while True:
        try:
            frame, address = ear.recvfrom(4096)
        except BlockingIOError:
            return found
        found += MAGIC in frame and address[2] != socket.PACKET_OUTGOING


def first_pings(cloud: Cloud, number: int = 20) -> dict[str, float]:
    """From the API call to the first answered ping, the interface being plugged already."""
    taken = []
    for octet in range(100, 100 + number):
        name, host = f"red{octet}", host_names(cloud.lab)[octet % 4]
        cloud.workload(name, host, octet, f"later-{octet}")
        interface = interface_of(cloud, host, f"later-{octet}")
        profile = {"binding:host_id": host, "binding:profile": {"interface_name": interface}}
        with inside(cloud.namespace(name)):
            probe = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        probe.settimeout(0.001)
        cloud.lab.exec(
            name, ["ip", "neigh", "add", "192.168.0.11", "lladdr", "02:00:00:00:00:0b", "dev", "eth0"]
        )
        time.sleep(0.3)
        cloud.api("GET", "/")
        start = time.perf_counter()
        cloud.port(name, octet, **profile)
        taken.append((first_answer(probe, start) - start) * 1000)
        cloud.lab.detach(name)
    taken.sort()
    return {"n": number, "p50": statistics.median(taken), "p95": taken[int(number * 0.95) - 1]}


def interface_of(cloud: Cloud, host: str, iface_id: str) -> str:
    find = ["ovs-vsctl", "--bare", "--columns=name", "find", "interface", f"external_ids:iface-id={iface_id}"]
    return cloud.lab.host_run(host, find).stdout.strip()


def first_answer(probe: socket.socket, start: float) -> float:
    echo = struct.pack("!BBHHH", 8, 0, (~(0x0800 + 2)) & 0xFFFF, 1, 1)
    while time.perf_counter() - start < 10:
        probe.sendto(echo, ("192.168.0.11", 0))
        try:
            if probe.recv(2048)[20] == 0:
                return time.perf_counter()
        except TimeoutError:
            continue
    raise SystemExit("a new port was never reached")


def stream(cloud: Cloud, seconds: float, address: str) -> EchoStream:
    """A 5 ms echo stream from red1."""
    return EchoStream(cloud.namespace("red1"), address, seconds)


def move(cloud: Cloud, there: str, *, dead: bool = False) -> int:
    """red2 goes to `there` under a 5 ms ping; with `dead` the controller dies before the cut-over."""
    cloud.lab.prepare_move("red2", there)
    path = f"/v2.0/overlace/ports/{cloud.ports['red2']['id']}/realisation"

    def bindings() -> dict[str, str]:
        return dict(cloud.api("GET", path)["realisation"]["bindings"])

    until(lambda: bindings().get(there) == "prepared", "the destination is not prepared", 10)
    time.sleep(0.3)
    if dead:
        cloud.kill()
    running = stream(cloud, 3, "192.168.0.12")
    time.sleep(1)
    cloud.lab.complete_move("red2")
    missing = running.outcome().lost
    if dead:
        cloud.start()  # and learns from the switches what happened meanwhile
    until(lambda: bindings().get(there) == "active", "the port has not moved", 30)
    cloud.lab.release_move("red2")
    until(lambda: bindings() == {there: "active"}, "the old binding does not end", 10)
    return missing


def controller_kill(cloud: Cloud, seconds: float = 20) -> dict[str, float]:
    """kill -9 under traffic; three flows are tampered with meanwhile, and only they are put right."""
    running = stream(cloud, seconds + 6, "192.168.0.14")
    cloud.kill()
    tampered = [
        ["del-flows", "--strict", BRIDGE, "table=55,priority=300,reg0=0x1/0x1"],
        ["mod-flows", "--strict", BRIDGE, "table=43,priority=300,reg0=0x1/0x1,actions=output:1"],
        ["add-flow", BRIDGE, "table=44,priority=9,actions=normal"],
    ]
    for command in tampered:
        cloud.lab.host_run("h1", [*OFCTL, *command])
    time.sleep(seconds)
    log = cloud.directory / "controller.log"
    before = log.stat().st_size
    cloud.start()
    names = host_names(cloud.lab)
    until(lambda: all(cloud.switch(name).get("acknowledged") for name in names), "hosts do not return", 30)
    text = re.sub(r"\x1b\[[0-9;]*m", "", log.read_bytes()[before:].decode())
    changes = {"h1": 0, "others": 0}
    for line in text.splitlines():
        if "switch in sync" in line:
            numbers = dict(re.findall(r"(\w+)=(\w+)", line))
            host = "h1" if numbers["switch"] == "h1" else "others"
            changes[host] += sum(int(numbers[each]) for each in ("added", "changed", "removed"))
    return {
        "seconds": seconds,
        "lost": running.outcome().lost,
        "repaired": changes["h1"],
        "changes_after_restart": changes["others"] + max(0, changes["h1"] - 3),
    }


def main() -> int:
    """Run it all; exit 0 when every figure is as promised."""
    keep = os.environ.get("KEEP") == "1"
    directory = Path(tempfile.mkdtemp(prefix="overlace-demo-"))
    Lab.remove("demo")
    lab = Lab.up(None, "demo")
    cloud = Cloud(lab, directory)
    results: dict[str, Any] = {}
    try:
        cloud.start()
        cloud.join_hosts()
        for tenant in TENANTS:
            cloud.tenant(tenant)
            for number in range(1, 5):
                port = cloud.port(f"{tenant}{number}", 10 + number)
                cloud.workload(f"{tenant}{number}", f"h{number}", 10 + number, port["id"])
        until(lambda: all(cloud.status(name) == "ACTIVE" for name in cloud.ports), "ports stay down", 20)
        pings(cloud)  # an unresolved tunnel neighbour costs the first packet between two hosts
        report(results, "pings", pings(cloud))
        report(results, "isolation", isolation(cloud))
        report(results, "first_ping_ms", first_pings(cloud))
        moved = {
            "interval_ms": 5,
            "lost": move(cloud, "h3"),
            "lost_without_controller": move(cloud, "h2", dead=True),
        }
        report(results, "move", moved)
        report(results, "controller_kill", controller_kill(cloud))
    finally:
        if keep:
            print(
                f"kept: overlace lab status --name demo; the controller's log is {directory}/controller.log"
            )
        else:
            cloud.kill()
            lab.down()
    (ROOT / "build").mkdir(exist_ok=True)
    (ROOT / "build/demo.json").write_text(json.dumps(results, indent=1) + "\n")
    if not keep:
        shutil.rmtree(directory)
    good = (
        results["pings"]["sent"] == results["pings"]["answered"]
        and results["isolation"]["leaked"] == 0
        and max(results["move"]["lost"], results["move"]["lost_without_controller"]) <= 1
        and (results["controller_kill"]["lost"], results["controller_kill"]["changes_after_restart"])
        == (0, 0)
        and results["controller_kill"]["repaired"] == 3
    )
    print("all as promised" if good else "NOT as promised", file=sys.stderr)
    return 0 if good else 1


def report(results: dict[str, Any], name: str, figures: dict[str, Any]) -> None:
    results[name] = figures
    shown = "  ".join(
        f"{key} {value:.1f}" if isinstance(value, float) else f"{key} {value}"
        for key, value in figures.items()
    )
    print(f"{name:16}  {shown}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
