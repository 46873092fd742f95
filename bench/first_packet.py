"""From the API call to the first answered packet: Overlace and OVN on the same hosts, turn by turn.

    python -m bench.first_packet [--ports 0,1000,5000,10000,20000] [--samples 30] [--routers] [--output FILE]

One laboratory of two hosts at one site. On each host stand both systems' bridges. For each sample, a workload of
each system is there already on h2, its interface plugged; a probe on h1 asks for it every half millisecond; the
port is created over the system's API, and the clock stops at the first answer. The ports of both systems have
stateful security by one group (bench/tenants.py). The systems take turns, port by port, so that both meet the same
noise of the machine; before the other's turn, OVN's central part has caught up, and the data paths forget the flows of
the last turn. At each size so many ports of other tenants exist in both systems. `--routers` gives each of OVN's
tenants the router that joins its ten networks; Overlace has no routers yet, so that is what the other does for its
users today, and no comparison of equals.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from bench.echo_probe import Echo, EchoProbe
from bench.http_connection import HttpConnection
from bench.laboratory import side_by_side
from bench.ovn import BRIDGE as OVN_BRIDGE, Ovn
from bench.summary import Ratio, Summary, write
from bench.tenants import PORTS_OF_TENANT, OverlaceTenants, OvnTenants, Tenants, group_name, network_name
from tools.cloud import Cloud, interface_of

from overlace.kit.addresses import format_mac
from overlace.lab.lab import Lab
from overlace.lab.plan import DEFAULT_BRIDGE

PROBER_OCTET, FIRST_OCTET = 2, 20
SETTLE = 0.3
FILLED = 2.0
PATIENCE = 10.0
MAX_SAMPLES = 180


@dataclass(frozen=True, slots=True)
class Contender:
    """One system. `prepare(workload, octet)` returns the one call that creates the workload's port; `settle`
    returns when the system has no more to do for it."""

    name: str
    bridge: str
    prepare: Callable[[str, int], Callable[[], object]]
    settle: Callable[[], object]
    tenants: Tenants


def mac(octet: int) -> int:
    """The MAC address that goes with the last octet of an address."""
    return 0x020000000000 | octet


def address(octet: int) -> IPv4Address:
    """The address of a workload in both systems."""
    return IPv4Address(f"192.168.0.{octet}")


def main() -> None:
    """Measure, print, and write the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ports", default="0", help="sizes, one after another: multiples of 500")
    parser.add_argument("--samples", type=int, default=30, help="ports created by each system at each size")
    parser.add_argument(
        "--routers", action="store_true", help="OVN's tenants have routers, Overlace's do not"
    )
    parser.add_argument("--output", type=Path, default=Path("build/first_packet.json"))
    options = parser.parse_args()
    sizes = [int(each) for each in options.ports.split(",")]
    if len(sizes) * options.samples > MAX_SAMPLES:
        parser.error(f"{MAX_SAMPLES} samples in all at most: the network measured has no more addresses")
    report(run(sizes, options.samples, routers=options.routers), options.output, routers=options.routers)


def run(
    sizes: list[int], samples: int, name: str = "bench", *, routers: bool = False
) -> dict[int, dict[str, list[float]]]:
    """Milliseconds by size and system, in a laboratory of its own."""
    results: dict[int, dict[str, list[float]]] = {}
    with side_by_side(name) as both:
        contenders = (overlace(both.cloud), peer(both.ovn, routers=routers))
        for each in contenders:
            each.tenants.add(0)
            attach(both.lab, each, "h1", f"{each.name}-prober", PROBER_OCTET)
            each.prepare(f"{each.name}-prober", PROBER_OCTET)()
        octet, tenants = FIRST_OCTET, 0
        for size in sizes:
            grow(contenders, tenants, size // PORTS_OF_TENANT)
            tenants = size // PORTS_OF_TENANT
            results[size] = measure(both.lab, contenders, range(octet, octet + samples))
            octet += samples
            show(size, results[size])
    return results


def grow(contenders: tuple[Contender, ...], present: int, wanted: int) -> None:
    """Fill tenants until so many are full, and wait until both systems have done with them."""
    for each in contenders:
        for tenant in range(max(1, present), wanted):
            each.tenants.add(tenant)
        each.tenants.fill(range(present, wanted))
        each.settle()
        time.sleep(FILLED)


def overlace(cloud: Cloud) -> Contender:
    """Ports name host and interface, since the API chooses their ids."""

    def prepare(workload: str, octet: int) -> Callable[[], object]:
        host = cloud.lab.workload(workload).active.host
        interface = interface_of(cloud, host, workload)
        port = {
            "name": workload,
            "network_id": cloud.networks[network_name(0, 0)],
            "project_id": "tenant0",
            "mac_address": format_mac(mac(octet)),
            "fixed_ips": [{"ip_address": str(address(octet))}],
            "binding:host_id": host,
            "binding:profile": {"interface_name": interface},
        }
        connection = HttpConnection(cloud.lab.controller_namespace)  # it stands, as OVN's does
        return connection.post("/v2.0/ports", {"port": port})

    return Contender("overlace", DEFAULT_BRIDGE, prepare, lambda: None, OverlaceTenants(cloud))


def peer(ovn: Ovn, *, routers: bool = False) -> Contender:
    """A logical switch port with its addresses, in its network and its group, in one transaction."""

    def prepare(workload: str, octet: int) -> Callable[[], object]:
        known = f'"{format_mac(mac(octet))} {address(octet)}"'
        words = ["--", "--id=@port", "create", "Logical_Switch_Port", f"name={workload}"]
        words += [f"addresses={known}", f"port_security={known}"]
        words += ["--", "add", "Logical_Switch", network_name(0, 0), "ports", "@port"]
        words += ["--", "add", "Port_Group", group_name(0), "ports", "@port"]
        return lambda: consume(ovn.nbctl(*words))

    def settle() -> None:
        ovn.nbctl("--wait=sb", "sync")

    return Contender("ovn", OVN_BRIDGE, prepare, settle, OvnTenants(ovn, routers=routers))


def consume(_: object) -> None:
    """The answer of a call that is only timed."""


def measure(lab: Lab, contenders: tuple[Contender, ...], octets: range) -> dict[str, list[float]]:
    """Milliseconds from the call to the first answer, by system."""
    taken: dict[str, list[float]] = {each.name: [] for each in contenders}
    for octet in octets:
        for each in contenders[:: 1 if octet % 2 else -1]:
            attach(lab, each, "h2", f"{each.name}-{octet}", octet)
            forget_flows(lab)
            taken[each.name].append(once(lab, each, octet))
            lab.detach(f"{each.name}-{octet}")
            each.settle()
        print(f"\r{octet - octets.start + 1}/{len(octets)}", end="", flush=True)
    print()
    return taken


def forget_flows(lab: Lab) -> None:
    """Let both switches' data paths forget the megaflows of the other system's turn and of workloads that are gone:
    one system's revalidation would be on the other's time (ovs-vswitchd(8), "revalidator/purge")."""
    for host in lab.hosts:
        lab.host_run(host.name, ["ovs-appctl", "revalidator/purge"])


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


def show(size: int, taken: dict[str, list[float]]) -> None:
    """Print what was found at one size."""
    print(f"{size} other ports")
    for name, samples in taken.items():
        print(f"  {name:10} first packet ms  {Summary.of(samples)}")
    print(f"  overlace / ovn, medians: {Ratio.of(taken['overlace'], taken['ovn'])}", flush=True)


def report(results: dict[int, dict[str, list[float]]], output: Path, *, routers: bool) -> None:
    """Write the file."""
    figures: dict[str, object] = {"ovn_routers": routers}
    for size, taken in results.items():
        each: dict[str, object] = {name: Summary.of(samples).as_json() for name, samples in taken.items()}
        figures[str(size)] = each | {"ratio": Ratio.of(taken["overlace"], taken["ovn"]).as_json()}
    write(figures, output)


if __name__ == "__main__":
    main()
