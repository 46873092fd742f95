"""Bad input to the running product: whoever sends it, other sessions live, and so does the process.

A controller process, three hosts of real Open vSwitch, a tenant's workload on two of them. Strangers attack, and so
does the third host, which was admitted. Every attack is followed by the same questions. What is sent follows from
OVERLACE_SEED; `make fuzz` tries many.
"""

import asyncio
import http.client
import json
import os
import random
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from ipaddress import IPv4Address
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from tests.app import bad_bytes, bad_messages
from tests.app.villain import PATIENCE, Attack, Villain, honest
from tools.cloud import Cloud, until
from tools.demo import received
from tools.isolation import packet_socket

from overlace.kit.addresses import Mac
from overlace.lab.lab import Lab
from overlace.lab.namespace import entered
from overlace.lab.topology import Site, Topology
from overlace.wire.openflow.codec import encode
from overlace.wire.openflow.messages import FeaturesReply

pytestmark = pytest.mark.lab

SEED = int(os.environ.get("OVERLACE_SEED", 1))
RANDOM = random.Random(SEED)
OPENFLOW, OVSDB, API = 6653, 6640, 9696
VILLAIN = "h3"
"""Admitted, and then not what it was."""
HANDSHAKE = 8
"""Messages of a switch before anything is written to it, at most."""
MEMORY = 96 << 20
"""Bytes that the process may have grown by, over all attacks, however often. 32 MiB of a database and 16 MiB of an
answer are read before they are too much, and on a busy machine more of that stands at a time: 76 MiB were seen."""
LOG = 200_000
"""Bytes that it may have logged in one attack."""


class Target:
    """The cloud under attack, and what it was like before."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.log = cloud.directory / "controller.log"
        self.sessions = self._sessions()
        self.memory = self._memory()
        self.logged = self.log.stat().st_size
        self._changes = 0

    def connect(self, port: int) -> socket.socket:
        """A new connection to the controller, where switches or clients would make theirs."""
        host = "127.0.0.1" if port == API else self.cloud.lab.controller_address
        with entered(self.cloud.lab.controller_namespace):
            opened = socket.socket()
        opened.settimeout(5)
        opened.connect((host, port))
        return opened

    def send(self, port: int, stream: bad_bytes.Stream) -> None:
        """One connection that says this; being cut off is what it may expect."""
        with self.connect(port) as connection:
            try:
                for piece in stream:
                    connection.sendall(piece)
                connection.settimeout(0.02)
                connection.recv(65536)
            except OSError:
                pass

    def is_unharmed(self) -> str:
        """What was logged meanwhile. Raises when anything of anybody else has suffered."""
        assert self.process.poll() is None, f"the process has ended (seed {SEED})"
        self._programs_switches()
        pinged = self.cloud.lab.popen("red1", ["ping", "-c", "3", "-i", "0.2", "-W", "2", "192.168.0.12"])
        assert received(pinged.communicate()[0]), "the tenant's own traffic has stopped"
        assert self._sessions() == self.sessions, f"a switch's session was lost (seed {SEED})"
        assert (grown := self._memory() - self.memory) < MEMORY, f"{grown >> 20} MiB more (seed {SEED})"
        told = self.log.read_bytes()[self.logged :]
        self.logged += len(told)
        news = told.decode(errors="replace")
        assert len(news) < LOG, f"{len(news)} characters logged"
        assert "Traceback" not in news, f"a fault was logged (seed {SEED}): {news}"
        return news

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        """The controller's; `ip netns exec` becomes what it starts."""
        assert self.cloud._controller is not None
        return self.cloud._controller

    def _programs_switches(self) -> None:
        self._changes += 1
        address = f"10.99.0.{self._changes}"
        for name, host in (("red1", "h1"), ("red2", "h2")):
            body = {"port": {"allowed_address_pairs": [{"ip_address": address}]}}
            self.cloud.api("PUT", f"/v2.0/ports/{self.cloud.ports[name]['id']}", body)
            dump = ["ovs-ofctl", "-O", "OpenFlow15", "dump-flows", "br-overlace"]
            until(
                lambda host=host, dump=dump: address in self.cloud.lab.host_run(host, dump).stdout,  # type: ignore[misc]
                f"{host} is no longer programmed (seed {SEED})",
                15,
            )

    def _sessions(self) -> list[str]:
        text = self.log.read_text(errors="replace")
        lines = [
            line for line in text.splitlines() if "ovsdb connected" in line or "switch connected" in line
        ]
        return [line for line in lines if "unknown" not in line and VILLAIN not in line]

    def _memory(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) * 1024


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    topology = Topology((Site("site-a", ("h1", "h2", VILLAIN), "10.1.0.0/24"),), underlay="ipv4")
    name = f"bad{os.getpid()}"
    with tempfile.TemporaryDirectory(prefix="ovl-") as directory, Lab.up(topology, name) as lab:
        cloud = Cloud(lab, Path(directory))
        try:
            cloud.start()
            cloud.join_hosts()
            cloud.tenant("red")
            for number in (1, 2):
                port = cloud.port(f"red{number}", 10 + number)
                cloud.workload(f"red{number}", f"h{number}", 10 + number, port["id"])
            until(lambda: all(cloud.status(each) == "ACTIVE" for each in cloud.ports), "ports stay down", 30)
            yield Target(cloud)
        finally:
            cloud.kill()


@pytest.fixture
def villain(target: Target) -> Iterator[Villain]:
    """The third host. Afterwards it behaves, and is served again as if nothing had been."""
    villain = Villain(target.cloud.lab, VILLAIN, "br-overlace")
    villain.fall()
    yield villain
    villain.repent()
    until(
        lambda: bool(target.cloud.switch(VILLAIN).get("acknowledged")),
        f"{VILLAIN} is shut out (seed {SEED})",
        60,
    )


def datapath_of(target: Target, host: str) -> int:
    """What the host's bridge calls itself."""
    command = ["ovs-vsctl", "get", "Bridge", "br-overlace", "datapath_id"]
    return int(target.cloud.lab.host_run(host, command).stdout.strip().strip('"'), 16)


async def openflow_attacks(villain: Villain, attacks: Iterable[Attack], patience: float = PATIENCE) -> None:
    """One connection each, beside a database that is as it should be."""
    async with asyncio.TaskGroup() as tasks:
        database = tasks.create_task(villain.stay_honest(OVSDB))
        async with asyncio.timeout(20):
            while await villain.openflow(OPENFLOW, honest) <= HANDSHAKE:
                assert not database.done(), "an honest database is not served"
        for each in attacks:
            await villain.openflow(OPENFLOW, each, patience)
        database.cancel()


def test_given_an_admitted_switch_when_it_talks_nonsense_then_only_its_own_session_ends(
    target: Target, villain: Villain
) -> None:
    attacks = islice(bad_messages.openflow(RANDOM, datapath_of(target, "h1")), 80)
    asyncio.run(openflow_attacks(villain, attacks))
    target.is_unharmed()


def test_given_an_admitted_database_when_it_talks_nonsense_then_only_its_own_session_ends(
    target: Target, villain: Villain
) -> None:
    async def attack() -> None:
        assert await villain.ovsdb(OVSDB, honest) > 1, "an honest relay is not served"
        for each in islice(bad_messages.ovsdb(RANDOM, "h1"), 84):
            await villain.ovsdb(OVSDB, each)

    asyncio.run(attack())
    target.is_unharmed()


def test_given_an_answer_without_end_when_an_admitted_switch_sends_it_then_it_is_cut_off(
    target: Target, villain: Villain
) -> None:
    asyncio.run(openflow_attacks(villain, [bad_messages.endless_answer(100_000)], patience=60))
    news = target.is_unharmed()
    assert "openflow answer without end" in news, news


def test_given_rows_without_end_when_an_admitted_database_sends_them_then_it_is_cut_off(
    target: Target, villain: Villain
) -> None:
    asyncio.run(villain.ovsdb(OVSDB, bad_messages.endless_rows(1_000_000), patience=60))
    assert "MiB of what is monitored" in target.is_unharmed()


def test_given_a_flood_of_news_when_an_admitted_switch_sends_it_then_the_others_are_served_meanwhile(
    target: Target, villain: Villain
) -> None:
    news = [
        encode(each, 7) for each in bad_messages.nonsense(RANDOM, 0) if not isinstance(each, FeaturesReply)
    ]
    asyncio.run(openflow_attacks(villain, [bad_messages.flood(news, 3000)]))
    target.is_unharmed()


@pytest.mark.parametrize(
    ("port", "streams", "number"),
    [
        (OPENFLOW, bad_bytes.openflow(RANDOM), 160),
        (OVSDB, bad_bytes.ovsdb(RANDOM), 110),
        (API, bad_bytes.http(RANDOM), 160),
    ],
    ids=["openflow", "ovsdb", "http"],
)
def test_given_bad_bytes_when_sent_then_only_their_connection_ends(
    target: Target, port: int, streams: Iterator[bad_bytes.Stream], number: int
) -> None:
    for stream in islice(streams, number):
        target.send(port, stream)
    target.is_unharmed()


@pytest.mark.parametrize("port", [OPENFLOW, OVSDB, API], ids=["openflow", "ovsdb", "http"])
def test_given_many_silent_connections_when_held_open_then_the_others_are_served(
    target: Target, port: int
) -> None:
    with ExitStack() as held:
        for _ in range(300):
            held.enter_context(target.connect(port))
        target.is_unharmed()


@pytest.mark.parametrize(
    ("port", "start", "piece"),
    [
        (OVSDB, b'{"id":1,"error":null,"result":"', b"x" * 65536),
        (API, b"GET / HTTP/1.1\r\nhost: a\r\nx: ", b"v" * 65536),
        (
            API,
            b"POST /v2.0/networks HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n",
            b"10000\r\n" + b"v" * 65536 + b"\r\n",
        ),
        (OPENFLOW, b"", b"\x06\x02\xff\xff\0\0\0\0" + bytes(65527)),
    ],
    ids=["ovsdb", "http-header", "http-body", "openflow"],
)
def test_given_an_endless_message_when_it_passes_the_limit_then_it_is_cut_off(
    target: Target, port: int, start: bytes, piece: bytes
) -> None:
    with target.connect(port) as connection, pytest.raises(OSError):
        connection.sendall(start)
        for _ in range(2000):
            connection.sendall(piece)
    target.is_unharmed()


def test_given_wrong_values_in_attributes_when_sent_then_refused_in_words(target: Target) -> None:
    network = target.cloud.networks["red"]
    bodies: dict[str, dict[str, Any]] = {
        "network": {
            "name": "n",
            "mtu": 1400,
            "shared": False,
            "provider:network_type": "vxlan",
            "segments": [],
            "tags": [],
        },
        "subnet": {
            "network_id": network,
            "cidr": "10.7.0.0/24",
            "ip_version": 4,
            "gateway_ip": None,
            "allocation_pools": [],
            "host_routes": [],
            "dns_nameservers": [],
        },
        "port": {
            "network_id": network,
            "fixed_ips": [],
            "mac_address": "02:00:00:00:77:01",
            "security_groups": [],
            "allowed_address_pairs": [],
            "extra_dhcp_opts": [],
            "binding:profile": {},
            "binding:host_id": "",
            "device_id": "",
        },
        "security_group_rule": {
            "security_group_id": network,
            "direction": "ingress",
            "protocol": "tcp",
            "port_range_min": 1,
            "port_range_max": 2,
            "remote_ip_prefix": None,
        },
    }
    with entered(target.cloud.lab.controller_namespace):
        client = http.client.HTTPConnection("127.0.0.1", API, timeout=10)
        client.connect()
    for kind, own in bodies.items():
        path = f"/v2.0/{kind.replace('_', '-')}s"
        for given in islice(bad_bytes.attributes(RANDOM, own), 120):
            client.request("POST", path, json.dumps({kind: given}), {"content-type": "application/json"})
            answer = client.getresponse()
            text = answer.read()
            assert answer.status < 500, f"{kind} {given}: {text!r} (seed {SEED})"
    client.close()
    target.is_unharmed()


def test_given_bad_frames_of_a_guest_when_sent_then_its_own_switch_stays_too(target: Target) -> None:
    mouth = packet_socket(target.cloud, "red1")
    for frame in islice(bad_bytes.frames(RANDOM, Mac(0x02000000000B), IPv4Address("192.168.0.11")), 3000):
        try:
            mouth.send(frame)
        except BlockingIOError:
            time.sleep(0.01)
    mouth.close()
    log = target.is_unharmed()
    for kind in ("dhcp", "dhcpv6"):
        assert f"{kind} request cannot be read" in log, "the frames do not reach the controller"
