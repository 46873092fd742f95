"""From the API call to the first answered packet: Overlace and OVN on the same hosts, turn by turn.

    python -m bench.first_packet [--samples N] [--output FILE]

One laboratory of two hosts at one site. On each host stand both systems' bridges. For each sample, a workload of
each system is there already on h2, its interface plugged; a probe on h1 asks for it every half millisecond; the
port is created over the system's API, and the clock stops at the first answer. Overlace's ports carry the default
(stateful) security group, OVN's have no rules at all. The systems take turns, port by port, so that both meet the
same noise of the machine.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from bench.echo_probe import Echo, EchoProbe
from bench.ovn import BRIDGE as OVN_BRIDGE, Ovn
from bench.summary import Ratio, Summary
from tools.cloud import Cloud, interface_of

from overlace.kit.addresses import format_mac
from overlace.lab.lab import DEFAULT_BRIDGE, Lab
from overlace.lab.topology import Site, Topology

PROBER_OCTET, FIRST_OCTET = 2, 20
SETTLE = 0.3
PATIENCE = 10.0
MAX_SAMPLES = 200


@dataclass(frozen=True, slots=True)
class Contender:
    """One system. `prepare(workload, octet)` returns the one call that creates the workload's port."""

    name: str
    bridge: str
    prepare: Callable[[str, int], Callable[[], None]]


def mac(octet: int) -> int:
    """The MAC address that goes with the last octet of an address."""
    return 0x020000000000 | octet


def address(octet: int) -> IPv4Address:
    """The address of a workload in both systems."""
    return IPv4Address(f"192.168.0.{octet}")


def main() -> None:
    """Measure, print, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=40, help="ports created by each system (at most 200)")
    parser.add_argument("--output", type=Path, default=Path("build/first_packet.json"))
    options = parser.parse_args()
    samples = min(options.samples, MAX_SAMPLES)
    topology = Topology(sites=(Site("site-a", ("h1", "h2"), ipv4="10.1.0.0/24"),), underlay="ipv4")
    with tempfile.TemporaryDirectory() as scratch, Lab.up(topology, "bench") as lab:
        cloud, ovn = Cloud(lab, Path(scratch)), Ovn(lab)
        try:
            cloud.start()
            cloud.join_hosts()
            cloud.tenant("red")
            ovn.start(lab.hosts)
            ovn.nbctl("ls-add", "red")
            results = measure(lab, (overlace(cloud), peer(ovn)), samples)
        finally:
            cloud.kill()
            ovn.stop()
    report(results, options.output)


def overlace(cloud: Cloud) -> Contender:
    """Ports name host and interface, since the API chooses their ids."""

    def prepare(workload: str, octet: int) -> Callable[[], None]:
        host = cloud.lab.workload(workload).active.host
        interface = interface_of(cloud, host, workload)
        port = {
            "name": workload,
            "network_id": cloud.networks["red"],
            "project_id": "red",
            "mac_address": format_mac(mac(octet)),
            "fixed_ips": [{"ip_address": str(address(octet))}],
            "binding:host_id": host,
            "binding:profile": {"interface_name": interface},
        }
        cloud.api("GET", "/")  # the connection stands, as OVN's does
        return lambda: consume(cloud.api("POST", "/v2.0/ports", {"port": port}))

    return Contender("overlace", DEFAULT_BRIDGE, prepare)


def peer(ovn: Ovn) -> Contender:
    """A logical switch port with its addresses."""

    def prepare(workload: str, octet: int) -> Callable[[], None]:
        addresses = f"{format_mac(mac(octet))} {address(octet)}"

        words = ("lsp-add", "red", workload, "--", "lsp-set-addresses", workload, addresses)
        return lambda: consume(ovn.nbctl(*words))

    return Contender("ovn", OVN_BRIDGE, prepare)


def consume(_: object) -> None:
    """The answer of a call that is only timed."""


def measure(lab: Lab, contenders: tuple[Contender, ...], samples: int) -> dict[str, list[float]]:
    """Milliseconds from the call to the first answer, by system."""
    taken: dict[str, list[float]] = {each.name: [] for each in contenders}
    for each in contenders:
        attach(lab, each, "h1", f"{each.name}-prober", PROBER_OCTET)
        each.prepare(f"{each.name}-prober", PROBER_OCTET)()
    time.sleep(1.0)
    for number in range(samples):
        for each in contenders[:: 1 if number % 2 else -1]:
            octet = FIRST_OCTET + number
            attach(lab, each, "h2", f"{each.name}-{octet}", octet)
            taken[each.name].append(once(lab, each, octet))
            lab.detach(f"{each.name}-{octet}")
        print(f"\r{number + 1}/{samples}", end="", flush=True)
    print()
    return taken


def attach(lab: Lab, contender: Contender, host: str, name: str, octet: int) -> None:
    """A workload whose interface announces its own name, and which knows the prober's MAC address."""
    lab.attach(
        host,
        name,
        mac=format_mac(mac(octet)),
        iface_id=name,
        ips=[f"{address(octet)}/24"],
        bridge=contender.bridge,
    )
    known = f"ip neigh add {address(PROBER_OCTET)} lladdr {format_mac(mac(PROBER_OCTET))} dev eth0"
    if octet != PROBER_OCTET:
        lab.exec(name, known.split())


def once(lab: Lab, contender: Contender, octet: int) -> float:
    """One sample, in ms. Raises SystemExit when the port is never reached, or was before it was made."""
    time.sleep(SETTLE)
    go = contender.prepare(f"{contender.name}-{octet}", octet)
    prober = lab.plan.workload_namespace(f"{contender.name}-prober")
    ends = ((mac(PROBER_OCTET), address(PROBER_OCTET)), (mac(octet), address(octet)))
    probe = EchoProbe(Echo(prober, *ends, identifier=octet))
    try:
        time.sleep(0.05)
        if probe.answered:
            raise SystemExit(f"{contender.name}: answered before the port was made")
        start = time.perf_counter()
        go()
        answered = probe.first_answer(PATIENCE)
    finally:
        probe.stop()
    if answered is None:
        raise SystemExit(f"{contender.name}: port {octet} is not reached in {PATIENCE:g} s")
    return (answered - start) * 1000


def report(taken: dict[str, list[float]], output: Path) -> None:
    """Print the table and write the file."""
    summaries = {name: Summary.of(samples) for name, samples in taken.items()}
    ratio = Ratio.of(taken["overlace"], taken["ovn"])
    for name, summary in summaries.items():
        print(f"{name:10} first packet ms  {summary}")
    print(f"overlace / ovn, medians: {ratio}")
    output.parent.mkdir(exist_ok=True)
    figures: dict[str, object] = {name: summary.as_json() for name, summary in summaries.items()}
    output.write_text(json.dumps(figures | {"ratio": ratio.as_json()}, indent=1) + "\n")


if __name__ == "__main__":
    main()
