"""A laboratory with a controller in it, driven as its operator and its clients would."""

import http.client
import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from overlace.app.clock import SystemClock
from overlace.cli.join import Place, tls_script
from overlace.lab.lab import Lab
from overlace.lab.namespace import entered
from overlace.pki.issuer import TOKEN_LIFETIME, Issuer

ROOT = Path(__file__).parent.parent
BRIDGE = "br-overlace"
LAST_LINES = 20
OFCTL = ("ovs-ofctl", "-O", "OpenFlow15")


class Cloud:
    """The laboratory, the controller in it, and the API as a client sees it."""

    serve_options: tuple[str, ...] = ()
    """What `overlace serve` is told besides where its files and switches are."""

    def __init__(self, lab: Lab, directory: Path) -> None:
        self.lab = lab
        self.directory = directory
        self.ports: dict[str, dict[str, Any]] = {}
        self.networks: dict[str, str] = {}
        self.release: Path | None = None
        """Where the sources of the controller's release are, if it is not this one."""
        self._controller: subprocess.Popen[bytes] | None = None
        self._connection: http.client.HTTPConnection | None = None

    def start(self) -> None:
        serve = [f"{ROOT}/.venv/bin/overlace", "serve", "--database", f"{self.directory}/overlace.db"]
        serve += ["--pki", f"{self.directory}/pki"]
        command = ["ip", "netns", "exec", self.lab.controller_namespace, *serve]
        command += ["--switch-address", self.lab.controller_address, *self.serve_options]
        with self._log.open("ab") as log:
            release = {} if self.release is None else {"PYTHONPATH": str(self.release)}
            self._controller = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | release)
        until(lambda: self._answers(), "the controller does not answer", 60)

    def kill(self) -> None:
        if self._controller is not None:
            self._controller.kill()
            self._controller.wait()
        self._connection = None

    @property
    def _log(self) -> Path:
        return self.directory / "controller.log"

    def _answers(self) -> bool:
        if self._controller is not None and self._controller.poll() is not None:
            last = "\n".join(self._log.read_text().splitlines()[-LAST_LINES:])
            raise SystemExit(f"the controller ended with {self._controller.returncode}:\n{last}")
        try:
            return bool(self.api("GET", "/"))
        except OSError:
            self._connection = None
            return False

    def api(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        if self._connection is None:
            connection = http.client.HTTPConnection("127.0.0.1", 9696, timeout=10)
            with entered(self.lab.controller_namespace):
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
        self.declare_hosts(addresses)
        for node in self.lab.hosts:
            datapath = "system" if node.kernel else "netdev"
            self.join(Place(node.name, self.lab.controller_address, BRIDGE, datapath))
        names = host_names(self.lab)
        until(lambda: all(self.switch(name).get("acknowledged") for name in names), "hosts do not join", 20)

    def declare_hosts(self, addresses: int = 1) -> None:
        """As `join_hosts`, for hosts that have joined already."""
        for site in sorted({self.lab.host(name).site for name in host_names(self.lab)}):
            self.api("POST", "/v2.0/overlace/sites", {"site": {"id": site, "mtu": 1600}})
        for name in host_names(self.lab):
            node = self.lab.host(name)
            used = enumerate(node.endpoints[:addresses])
            endpoints = [{"address": str(address), "preference": rank} for rank, address in used]
            host = {"id": name, "site_id": node.site, "endpoints": endpoints}
            self.api("POST", "/v2.0/overlace/hosts", {"host": host})

    def join(self, place: Place) -> None:
        script = tls_script(place, Issuer.open(self.directory / "pki", SystemClock()), TOKEN_LIFETIME)
        self.lab.host_run(place.name, ["sh", "-c", script])

    def switch(self, name: str) -> dict[str, Any]:
        found = self.api("GET", "/v2.0/overlace/status")["status"]["switches"].get(name, {})
        return dict(found) if found.get("connected") else {}

    def behind(self) -> list[str]:
        """The connected switches that have yet to do what was published for them."""
        return list(self.api("GET", "/v2.0/overlace/status")["status"]["behind"])

    def as_planned(self, name: str) -> bool:
        """Whether a switch, read now, holds exactly what it should."""
        found = self.api("GET", f"/v2.0/overlace/switches/{name}/difference")["difference"]
        return not sum(int(found[what]) for what in ("missing", "changed", "foreign", "groups", "meters"))

    def tenant(self, name: str, **more: object) -> None:
        body = {"name": name, "project_id": name, **more}
        network = self.api("POST", "/v2.0/networks", {"network": body})["network"]
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

    def group(self, name: str, project: str, *served: tuple[str, int], begins: bool = True) -> str:
        """A security group that lets in what is sent to the ports it serves, as (protocol, port), and lets out
        everything; or, where its members begin nothing, the answers alone. Its id."""
        body = {"security_group": {"name": name, "project_id": project}}
        made = self.api("POST", "/v2.0/security-groups", body)["security_group"]
        for given in () if begins else made["security_group_rules"]:
            self.api("DELETE", f"/v2.0/security-group-rules/{given['id']}")
        for kind in ("IPv4", "IPv6"):
            for protocol, port in served:
                rule = {"security_group_id": made["id"], "direction": "ingress", "ethertype": kind}
                rule |= {"protocol": protocol}
                if port:
                    rule |= {"port_range_min": port, "port_range_max": port}
                self.api("POST", "/v2.0/security-group-rules", {"security_group_rule": rule})
        return str(made["id"])

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


def interface_of(cloud: Cloud, host: str, iface_id: str) -> str:
    find = ["ovs-vsctl", "--bare", "--columns=name", "find", "interface", f"external_ids:iface-id={iface_id}"]
    return cloud.lab.host_run(host, find).stdout.strip()
