"""Whether reading a real switch keeps it from its work: how soon it answers a barrier, idle and while it is read.

    python -m bench.audit_pressure [--ports 5000] [--rounds 5]

One Open vSwitch host with one port of a network of so many; the rest are bound to hosts that are absent, and the host
holds the flows to all of them. Over the switch's own management socket (ovs-vswitchd(8)) a second client sends a
barrier every millisecond and takes the time: idle, during audits, and while a controller that was killed compares the
whole switch again.
"""

import argparse
import json
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.simulated_cloud import until
from bench.summary import Summary, write
from bench.tenants import unlimited
from tools.cloud import BRIDGE, Cloud

from overlace.lab.lab import Lab
from overlace.lab.topology import Site, Topology
from overlace.wire.openflow.codec import OFP_VERSION, encode
from overlace.wire.openflow.messages import BarrierRequest, Hello

_INTERVAL = 0.001
_IDLE = 2.0
_BULK = 250
_ABSENT = 10
_BARRIER_REPLY = 21


class BarrierProbe:
    """Barriers over a management socket, in a thread of its own, from `start` to `stop`."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._socket.sendall(encode(Hello((OFP_VERSION,)), 1))
        self._stopped = threading.Event()
        self._taken: list[float] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> list[float]:
        """Milliseconds of each barrier."""
        self._stopped.set()
        self._thread.join()
        self._socket.close()
        return self._taken

    def _run(self) -> None:
        while not self._stopped.wait(_INTERVAL):
            began = time.perf_counter()
            self._socket.sendall(encode(BarrierRequest(), 7))
            while self._message() != _BARRIER_REPLY:
                pass
            self._taken.append((time.perf_counter() - began) * 1000)

    def _message(self) -> int:
        header = self._exactly(8)
        self._exactly(int.from_bytes(header[2:4], "big") - 8)
        return header[1]

    def _exactly(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            if not (more := self._socket.recv(length - len(data))):
                raise RuntimeError("the switch has closed its management socket")
            data += more
        return data


def run(ports: int, rounds: int, name: str = "audit") -> dict[str, Any]:
    """Milliseconds of a barrier by what the controller does meanwhile."""
    topology = Topology(sites=(Site("site-a", ("h1",), ipv4="10.1.0.0/24"),), underlay="ipv4")
    with tempfile.TemporaryDirectory() as scratch, Lab.up(topology, name) as lab:
        cloud = Cloud(lab, Path(scratch))
        try:
            cloud.start()
            cloud.join_hosts()
            _fill(cloud, ports)
            path = lab.host("h1").rundir / f"{BRIDGE}.mgmt"
            taken = {
                "idle": _during(path, lambda: time.sleep(_IDLE)),
                "audit": _during(path, lambda: _audit(cloud, rounds)),
                "restart": _during(path, lambda: _restart(cloud, rounds)),
            }
            flows = cloud.switch("h1")["flows"]
        finally:
            cloud.kill()
    return {"flows": flows} | {what: Summary.of(each).as_json() for what, each in taken.items()}


def _fill(cloud: Cloud, ports: int) -> None:
    for number in range(_ABSENT):
        host = {
            "id": f"absent{number}",
            "site_id": "site-a",
            "endpoints": [{"address": f"10.9.0.{number + 1}"}],
        }
        cloud.api("POST", "/v2.0/overlace/hosts", {"host": host})
    unlimited(cloud.api, "audited")
    network = cloud.api("POST", "/v2.0/networks", {"network": {"project_id": "audited"}})["network"]["id"]
    subnet = {"network_id": network, "ip_version": 4, "cidr": "10.2.0.0/16", "project_id": "audited"}
    cloud.api("POST", "/v2.0/subnets", {"subnet": subnet})
    fixed = {"network_id": network, "project_id": "audited"}
    cloud.api("POST", "/v2.0/ports", {"port": fixed | {"binding:host_id": "h1"}})
    for start in range(0, ports, _BULK):
        some = range(start, min(ports, start + _BULK))
        bound = [fixed | {"binding:host_id": f"absent{number % _ABSENT}"} for number in some]
        cloud.api("POST", "/v2.0/ports", {"ports": bound})
    until(lambda: not cloud.behind(), "h1 does not take its flows", 60)


def _during(path: Path, work: Callable[[], object]) -> list[float]:
    probe = BarrierProbe(path)
    try:
        work()
    finally:
        taken = probe.stop()
    return taken


def _audit(cloud: Cloud, rounds: int) -> None:
    for _ in range(rounds):
        cloud.api("POST", "/v2.0/overlace/switches/h1/audit")


def _restart(cloud: Cloud, rounds: int) -> None:
    for _ in range(rounds):
        cloud.kill()
        cloud.start()
        until(lambda: cloud.switch("h1").get("phase") == "in_sync", "h1 does not return", 30)


def main() -> None:
    """Measure, print, and write the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ports", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--output", type=Path, default=Path("build/audit_pressure.json"))
    options = parser.parse_args()
    figures = run(options.ports, options.rounds)
    print(json.dumps(figures))
    write(figures, options.output)


if __name__ == "__main__":
    main()
