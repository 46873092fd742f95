"""A cloud in a laboratory, its faults, and strangers that call its controller."""

import http.client
import json
import os
import resource
import socket
import sqlite3
import ssl
import subprocess
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.pki.requests import request
from tools.cloud import BRIDGE, OFCTL, Cloud, until

from overlace.kit.clock import ManualClock
from overlace.lab.namespace import entered
from overlace.pki.issuer import Issuer
from overlace.pki.keys import key_to_pem, new_key
from overlace.pki.subject import Role, Subject

DOCTOR = "/v2.0/overlace/doctor"
OVSDB, ENROLMENT = 6640, 6655
Step = Callable[["SickCloud"], object]


@dataclass(frozen=True)
class Case:
    """A fault: how it comes about, what the doctor calls it, words of what it says, and how it is mended; `also` is
    what it calls another side of it."""

    kind: str
    words: tuple[str, ...]
    seed: Step
    mend: Step
    probe: bool = False
    also: tuple[str, tuple[str, ...]] | None = None

    @property
    def named(self) -> dict[str, tuple[str, ...]]:
        """Words by kind."""
        return dict([(self.kind, self.words), *([self.also] if self.also else [])])

    def __str__(self) -> str:
        return f"{self.kind}: {self.words[0]}"


class SickCloud:
    """Three hosts, two of which share a network."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.lab = cloud.lab
        self.kept: dict[str, Any] = {}

    # --- the doctor

    def findings(self, probe: bool = False) -> list[dict[str, Any]]:
        connection = http.client.HTTPConnection("127.0.0.1", 9696, timeout=60)
        with entered(self.lab.controller_namespace):
            connection.connect()
        with closing(connection):
            connection.request("POST" if probe else "GET", DOCTOR)
            reply = connection.getresponse()
            assert reply.status == 200, reply.read()
            found: list[dict[str, Any]] = json.loads(reply.read())["findings"]
            return found

    def says(self, case: Case) -> bool:
        texts: dict[str, list[str]] = {kind: [] for kind in case.named}
        for each in self.findings(case.probe):
            text = " ".join(str(each[part]) for part in ("seen", "cause", "cure"))
            texts.setdefault(each["kind"], []).append(text)
        return all(
            any(all(word in text for word in words) for text in texts[kind])
            for kind, words in case.named.items()
        )

    def is_silent(self, case: Case, *, probe: bool = True) -> bool:
        found = {each["kind"] for each in self.findings(probe and case.probe)}
        return not found & case.named.keys()

    # --- hosts

    def on(self, host: str, *words: str) -> str:
        return self.lab.host_run(host, list(words)).stdout.strip()

    def vsctl(self, host: str, *words: str) -> str:
        return self.on(host, "ovs-vsctl", *words)

    def name(self, host: str, name: str | None) -> None:
        """Let h3 call itself so, and call anew."""
        for key in ("overlace-host", "system-id"):
            self.vsctl(host, "--if-exists", "remove", "open_vswitch", ".", "external_ids", key)
        if name is not None:
            self.vsctl(host, "set", "open_vswitch", ".", f"external_ids:overlace-host={name}")
        manager = self.vsctl(host, "get-manager")
        self.vsctl(host, "del-manager")
        self.vsctl(host, "set-manager", manager)  # a new one does not wait

    def firewall(self, host: str, *rules: str) -> None:
        """On the host's way into the underlay, which its Open vSwitch carries."""
        for rule in rules:
            self.on(host, *OFCTL, "add-flow", "br-phy", f"priority=9,{rule},actions=drop")

    def no_firewall(self, host: str) -> None:
        self.on(host, *OFCTL, "--strict", "del-flows", "br-phy", "priority=9,udp,tp_dst=4789")

    def interface(self, host: str, name: str, iface_id: str = "") -> None:
        words = ["add-port", BRIDGE, name, "--", "set", "interface", name]
        words += [f"external_ids:iface-id={iface_id}", "type=internal"] if iface_id else ["type=system"]
        self.lab.host_run(host, ["ovs-vsctl", "--no-wait", *words], check=False)

    # --- the API

    def host(self, name: str, *endpoints: str) -> None:
        given = {"id": name, "site_id": "site-a", "endpoints": [{"address": each} for each in endpoints]}
        self.cloud.api("POST", "/v2.0/overlace/hosts", {"host": given})

    def without_host(self, name: str) -> None:
        self.cloud.api("DELETE", f"/v2.0/overlace/hosts/{name}")

    def endpoint(self, name: str, *endpoints: str) -> str:
        given = {"host": {"endpoints": [{"address": each} for each in endpoints]}}
        return str(self.cloud.api("PUT", f"/v2.0/overlace/hosts/{name}", given))

    def site_mtu(self, mtu: int) -> None:
        self.cloud.api("PUT", "/v2.0/overlace/sites/site-a", {"site": {"mtu": mtu}})

    def observe(self, name: str, on: bool) -> None:
        self.cloud.api("PUT", f"/v2.0/overlace/hosts/{name}", {"host": {"observe_only": on}})

    def subnet(self, cidr: str) -> None:
        body = {"network_id": self.cloud.networks["red"], "ip_version": 4, "cidr": cidr}
        self.kept["subnet"] = self.cloud.api("POST", "/v2.0/subnets", {"subnet": body})["subnet"]["id"]

    def without_subnet(self) -> None:
        self.cloud.api("DELETE", f"/v2.0/subnets/{self.kept['subnet']}")

    # --- the controller's machine

    def files(self, limit: int | None) -> None:
        """How many the controller may open; None as before."""
        wanted = self.kept["files"] if limit is None else (limit, self.kept["files"][1])
        resource.prlimit(self.kept["pid"], resource.RLIMIT_NOFILE, wanted)

    def fill(self, leave: int) -> None:
        """The controller's disk, but for so many bytes."""
        room = os.statvfs(self.cloud.directory)
        with (self.cloud.directory / "filler").open("wb") as filler:
            os.posix_fallocate(filler.fileno(), 0, room.f_bavail * room.f_frsize - leave)

    def empty(self) -> None:
        (self.cloud.directory / "filler").unlink()

    def last_change_at(self, at: str | None) -> None:
        """What the log says of the time of the newest change; None as it was."""
        newest = "(select max(rowid) from revisions)"
        with closing(sqlite3.connect(self.cloud.directory / "overlace.db", timeout=10)) as database, database:
            if at is not None:
                (before,) = database.execute(f"select at from revisions where rowid = {newest}").fetchone()
                self.kept["at"] = before
            database.execute(f"update revisions set at = ? where rowid = {newest}", (at or self.kept["at"],))

    # --- certificates

    @property
    def pki(self) -> Path:
        return self.cloud.directory / "pki"

    def certify(
        self, subject: str, when: timedelta = timedelta(), lifetime: timedelta = timedelta(1)
    ) -> None:
        """A certificate that is made at another time; its key is kept."""
        clock = ManualClock(epoch=datetime.now(UTC) + when)
        key = new_key()
        issued = Issuer.open(self.pki, clock).sign(
            Subject.parse(subject), request(subject, key=key), lifetime
        )
        self.kept[subject] = key_to_pem(key).decode() + issued.certificate

    def damage_register(self) -> None:
        register = self.pki / "register.json"
        self.kept["register"] = register.read_bytes()
        register.write_text("{")

    def mend_register(self) -> None:
        (self.pki / "register.json").write_bytes(self.kept["register"])

    # --- strangers: programs on h3 that call as a host would

    def call(self, port: int, context: ssl.SSLContext | None, say: bytes = b"") -> None:
        address = str(self.lab.controller_address)
        with entered(self.lab.host("h3").namespace):
            plain = socket.create_connection((address, port), timeout=10)
        try:
            with plain if context is None else context.wrap_socket(plain) as connection:
                connection.sendall(say or b'{"id": 1, "method": "echo", "params": []}')
                connection.recv(4096)
        except OSError:
            pass  # which is what is to happen

    def call_as(self, pem: str | None) -> None:
        """With this certificate and key, or without any."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if pem is not None:
            file = self.cloud.directory / "stranger.pem"
            file.write_text(pem)
            context.load_cert_chain(file)
        self.call(OVSDB, context)

    def call_as_of(self, subject: str, when: timedelta = timedelta()) -> None:
        self.certify(subject, when)
        self.call_as(self.kept[subject])

    def call_as_of_others(self) -> None:
        """By an authority of its own."""
        others = Issuer.create(self.cloud.directory / "others", ManualClock(epoch=datetime.now(UTC)), [])
        key, subject = new_key(), "host:h3"
        issued = others.sign(Subject(Role.HOST, "h3"), request(subject, key=key))
        self.call_as(key_to_pem(key).decode() + issued.certificate)

    def call_revoked(self) -> None:
        self.certify("host:h7")
        Issuer.open(self.pki, ManualClock(epoch=datetime.now(UTC))).revoke(Subject(Role.HOST, "h7"))
        until(lambda: self.revoked_is_known(), "the controller does not read what was revoked", 10)
        self.call_as(self.kept["host:h7"])

    def revoked_is_known(self) -> bool:
        shown = self.cloud.api("GET", "/v2.0/overlace/status")["status"]["certificates"]
        return any(each["subject"] == "host:h7" and each["validity"] == "revoked" for each in shown)

    def call_distrusting(self) -> None:
        context = ssl.create_default_context()
        context.check_hostname = False
        self.call(OVSDB, context)

    def call_at(self, when: timedelta) -> None:
        """As a host whose clock is so far off: it looks at the controller's certificate as of then."""
        trust = self.cloud.directory / "trust.pem"
        trust.write_text(Issuer.open(self.pki, ManualClock()).directory.read().trust)
        moment = int((datetime.now(UTC) + when).timestamp())
        where = f"{self.lab.controller_address}:{OVSDB}"
        command = ["openssl", "s_client", "-connect", where, "-CAfile", str(trust), "-attime", str(moment)]
        self.lab.host_run("h3", [*command, "-verify_return_error", "-brief"], check=False)

    def call_with_token(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        asked = {"subject": "host:h3", "token": "spent", "request": request("host:h3").decode()}
        self.call(ENROLMENT, context, json.dumps(asked).encode() + b"\n")


def controller_pid(cloud: Cloud) -> int:
    """From the lock of its database."""
    return int((cloud.directory / "overlace.db.lock").read_text())


def small_disk(directory: Path, size: str = "400m") -> None:
    """The controller's own, so that it can be filled."""
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "overlace", directory], check=True, timeout=30
    )
