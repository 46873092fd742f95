"""The controller killed and started again over a large system of simulated hosts, with their switches tampered with.

    python -m bench.restart [--ports 100000] [--hosts 500] [--refills 10]

While it is dead, one flow is removed from a switch, one of another changed, and one that nobody wants is added to a
third. From the start of the process it is measured when the API answers and when every switch has been compared and is
in sync; counted what was repaired and what was written. Then switches come back empty, one at a time, as after a
restart of their own. How long the longest message kept a simulated switch busy is told, too.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

from bench.flat_cost import PORTS_OF_TENANT
from bench.simulated_cloud import SimulatedCloud, simulated_cloud
from bench.summary import Summary, write

_TAMPERED = ("remove", "change", "add")
_DOWN = 1.0


def restart(cloud: SimulatedCloud) -> dict[str, Any]:
    """Kill, tamper, start."""
    cloud.controller.kill()
    for number, how in enumerate(_TAMPERED):
        cloud.switches.tamper(number * cloud.hosts // len(_TAMPERED), how)
    time.sleep(_DOWN)
    before = cloud.switches.totals()
    began = time.monotonic()
    cloud.controller.start()
    answers, loading = time.monotonic(), cloud.controller.cpu_seconds()
    synced = cloud.await_sync()
    used = cloud.controller.cpu_seconds()
    after = cloud.switches.totals()
    cloud.await_quiet()
    found = [each["last_resync"] for each in _switches(cloud).values()]
    return {
        "api_answers_s": round(answers - began, 2),
        "all_hosts_verified_s": round(synced - began, 2),
        "api_answers_cpu_s": round(loading, 2),
        "all_hosts_verified_cpu_s": round(used, 2),
        "flows_compared": sum(each["observed"] for each in found),
        "tampered": len(_TAMPERED),
        "repaired": sum(each[what] for each in found for what in ("added", "changed", "removed")),
        "flow_mods_written": after.flow_mods - before.flow_mods,
        "longest_switch_busy_ms": after.longest_us / 1000,
        "controller_pss_bytes": cloud.controller.proportional_bytes(),
    }


def refill(cloud: SimulatedCloud, number: int) -> dict[str, float]:
    """A switch comes back empty: from its return until it holds everything."""
    before = cloud.switches.totals()
    cloud.switches.forget(number, 1)
    while cloud.switches.totals().connected == cloud.hosts:
        time.sleep(0.001)
    cloud.switches.connect(number, 1, cloud.controller.openflow_port)
    while cloud.switches.totals().connected < cloud.hosts:
        time.sleep(0.001)
    began = time.monotonic()
    while cloud.switches.totals().flows < before.flows:
        time.sleep(0.001)
    ended = time.monotonic()
    cloud.await_sync()
    after = cloud.switches.totals()
    return {
        "ms": (ended - began) * 1000,
        "flows": after.flow_mods - before.flow_mods,
        "bundles": after.bundles - before.bundles,
    }


def _switches(cloud: SimulatedCloud) -> dict[str, Any]:
    return dict(cloud.api("GET", "/v2.0/overlace/status")["status"]["switches"])


def run(ports: int, hosts: int, refills: int) -> dict[str, Any]:
    """Fill, restart, refill."""
    with simulated_cloud(hosts) as cloud:
        began = time.monotonic()
        cloud.fill_tenants(0, max(1, ports // PORTS_OF_TENANT))
        totals = cloud.switches.totals()
        print(f"{ports} ports, {totals.flows} flows after {time.monotonic() - began:.0f} s", flush=True)
        figures: dict[str, Any] = {"ports": ports, "hosts": hosts, "flows": totals.flows}
        figures["controller_pss_bytes_before"] = cloud.controller.proportional_bytes()
        figures["restart"] = restart(cloud)
        print(json.dumps(figures["restart"]), flush=True)
        refilled = [refill(cloud, number % hosts) for number in range(refills)]
        figures["refill"] = {
            "ms": Summary.of([each["ms"] for each in refilled]).as_json(),
            "flows": Summary.of([each["flows"] for each in refilled]).as_json(),
            "bundles": Summary.of([each["bundles"] for each in refilled]).as_json(),
        }
        print(json.dumps(figures["refill"]), flush=True)
        return figures


def main() -> None:
    """Measure, print, and write the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ports", type=int, default=100_000, help="a multiple of 500")
    parser.add_argument("--hosts", type=int, default=500)
    parser.add_argument("--refills", type=int, default=10)
    parser.add_argument("--output", type=Path, default=Path("build/restart.json"))
    options = parser.parse_args()
    write(run(options.ports, options.hosts, options.refills), options.output)


if __name__ == "__main__":
    main()
