"""One more port on a large system: from the API call until every host concerned has it in its tables.

    python -m bench.port_ready [--hosts 500] [--ports-per-host 50] [--samples 40] [--fan-outs 2,10,50,500]

Simulated hosts connect over real sockets to a real controller process. The system is filled with tenants whose
networks span ten hosts each; then ports are added, one at a time, to networks that live on 2, 10, 50 ... hosts.
Their interfaces are plugged already. The clock runs from the moment the request is sent to the commit of the last
bundle, on the last of the hosts, that carries the port.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import uvloop
from bench.controller_process import LOOPBACK, ControllerProcess, controller_process
from bench.simulated_database import load_schema
from bench.simulated_host import SimulatedHost, SimulatedSwitch
from bench.summary import Summary

BRIDGE = "br-overlace"
SPAN = 10
BULK = 200
PATIENCE = 30.0


class SimulatedCloud:
    """All simulated hosts, and the API."""

    def __init__(self, controller: ControllerProcess, hosts: int) -> None:
        schema = load_schema()
        self.controller = controller
        self.hosts = [SimulatedHost(number, BRIDGE, schema) for number in range(1, hosts + 1)]
        self.commits: asyncio.Queue[SimulatedSwitch] = asyncio.Queue()

    async def api(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """A call that lets the hosts go on meanwhile."""
        return await asyncio.to_thread(self.controller.api, method, path, body)

    async def join(self) -> None:
        """Declare the hosts and let them connect, fifty at a time."""
        await self.api("POST", "/v2.0/overlace/sites", {"site": {"id": "site-a", "mtu": 1600}})
        for host in self.hosts:
            endpoint = {"address": host.address}
            body = {"host": {"id": host.name, "site_id": "site-a", "endpoints": [endpoint]}}
            await self.api("POST", "/v2.0/overlace/hosts", body)
        for start in range(0, len(self.hosts), 50):
            some = self.hosts[start : start + 50]
            ports = (self.controller.openflow_port, self.controller.ovsdb_port)
            await asyncio.gather(*(host.connect(LOOPBACK, *ports) for host in some))
        await self.quiet()

    async def network(self, name: str, prefix: str) -> str:
        """A network with one subnet; gives its id."""
        body = {"network": {"name": name, "project_id": name}}
        network = (await self.api("POST", "/v2.0/networks", body))["network"]["id"]
        subnet = {"network_id": network, "ip_version": 4, "cidr": prefix, "project_id": name}
        await self.api("POST", "/v2.0/subnets", {"subnet": subnet})
        return str(network)

    async def ports(self, network: str, project: str, places: list[SimulatedHost]) -> None:
        """A port on each of the places, in bulk; then their interfaces appear."""
        for start in range(0, len(places), BULK):
            some = places[start : start + BULK]
            body = {"ports": [{"network_id": network, "project_id": project} for _ in some]}
            made = (await self.api("POST", "/v2.0/ports", body))["ports"]
            for host, port in zip(some, made, strict=True):
                host.plug(port["id"])

    async def quiet(self, still: float = 1.0) -> None:
        """Wait until no switch has committed anything for `still` seconds."""
        while True:
            before = sum(host.switch.commits for host in self.hosts)
            await asyncio.sleep(still)
            if sum(host.switch.commits for host in self.hosts) == before:
                return


async def fill(cloud: SimulatedCloud, per_host: int) -> None:
    """Tenants of one network each, with `per_host` ports on each of ten hosts."""
    for number, start in enumerate(range(0, len(cloud.hosts), SPAN)):
        hosts = cloud.hosts[start : start + SPAN]
        name = f"tenant{number}"
        network = await cloud.network(name, "10.1.0.0/20")
        await cloud.ports(network, name, [host for host in hosts for _ in range(per_host)])
        print(f"\rfilled {start + len(hosts)} of {len(cloud.hosts)} hosts", end="", flush=True)
    print()
    await cloud.quiet()


async def measure(cloud: SimulatedCloud, fan_out: int, samples: int) -> list[float]:
    """Milliseconds, one a sample, on a network with a port on each of `fan_out` hosts."""
    name = f"fan{fan_out}"
    members = cloud.hosts[:: max(1, len(cloud.hosts) // fan_out)][:fan_out]
    network = await cloud.network(name, "10.99.0.0/16")
    await cloud.ports(network, name, members)
    await cloud.quiet()
    taken = []
    for number in range(samples):
        host = members[number % fan_out]
        interface = f"{name}-{number}"
        host.database.plug(interface, f"unknown-{interface}", 10_000 + number)
        await asyncio.sleep(0.05)
        taken.append(await one(cloud, members, network, name, host, interface))
    return taken


async def one(
    cloud: SimulatedCloud,
    members: list[SimulatedHost],
    network: str,
    project: str,
    host: SimulatedHost,
    interface: str,
) -> float:
    """Add one port, and wait for all members."""
    waiting = {each.switch for each in members}
    for switch in waiting:
        switch.watch = cloud.commits
    body = {
        "network_id": network,
        "project_id": project,
        "binding:host_id": host.name,
        "binding:profile": {"interface_name": interface},
    }
    start = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(cloud.api("POST", "/v2.0/ports", {"port": body}))
        await everywhere(cloud, members, waiting)
    last = max(each.switch.committed_at for each in members)
    for each in members:
        each.switch.watch = None
    await asyncio.sleep(0.05)
    return (last - start) * 1000


async def everywhere(
    cloud: SimulatedCloud, members: list[SimulatedHost], waiting: set[SimulatedSwitch]
) -> None:
    """Until all that wait have committed. Raises SystemExit when some do not."""
    try:
        async with asyncio.timeout(PATIENCE):
            while waiting:
                waiting.discard(await cloud.commits.get())
    except TimeoutError:
        late = [each.name for each in members if each.switch in waiting]
        raise SystemExit(f"{len(late)} of {len(members)} hosts do not get the port: {late[:5]} ...") from None


async def run(options: argparse.Namespace) -> dict[str, Any]:
    """Fill and measure."""
    fan_outs = [int(each) for each in options.fan_outs.split(",")]
    with tempfile.TemporaryDirectory() as scratch, controller_process(Path(scratch)) as controller:
        cloud = SimulatedCloud(controller, options.hosts)
        await cloud.join()
        began = time.monotonic()
        await fill(cloud, options.ports_per_host)
        total = options.hosts * options.ports_per_host
        print(f"{total} ports on {options.hosts} hosts after {time.monotonic() - began:.0f} s")
        figures: dict[str, Any] = defaultdict(dict)
        for fan_out in (each for each in fan_outs if each <= options.hosts):
            summary = Summary.of(await measure(cloud, fan_out, options.samples))
            figures["fan_out"][fan_out] = summary.as_json()
            print(f"network on {fan_out} hosts: ms {summary}", flush=True)
        figures["hosts"], figures["ports"] = options.hosts, total
        figures["controller_pss_bytes"] = controller.proportional_bytes()
        return figures


def main() -> None:
    """Measure, print, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=500)
    parser.add_argument("--ports-per-host", type=int, default=50)
    parser.add_argument("--samples", type=int, default=40)
    parser.add_argument("--fan-outs", default="2,10,50,500")
    parser.add_argument("--output", type=Path, default=Path("build/port_ready.json"))
    options = parser.parse_args()
    figures = uvloop.run(run(options))
    options.output.parent.mkdir(exist_ok=True)
    options.output.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
