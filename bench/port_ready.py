"""One more port on a large system: until every host concerned has acknowledged it.

    python -m bench.port_ready [--hosts 500] [--ports-per-host 50] [--samples 200] [--fan-outs 2,10,50,500]

The system is filled with tenants whose networks span ten hosts each; then ports are added, one at a time, to networks
that live on 2, 10, 50 ... hosts. Their interfaces are plugged already. Two clocks run: from the request, and from the
answer that says the port is stored; both end when the last of the hosts has acknowledged the bundle with the port's
own address. Beside them the socket floor: the very bytes that a host was sent, from a sender that has nothing
else to do, to as many switches (bench/socket_floor.py), turn by turn with the ports; its clock ends at the same point.
A request has to be read, checked, stored and synced to disk, too, for which the floor has no counterpart: so beside the
whole over the floor stands what the hosts of a network cost beyond those of the narrowest one, over the floor.
"""

import argparse
import json
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench.controller_process import free_ports
from bench.simulated_cloud import SPAN, Added, Network, SimulatedCloud, simulated_cloud
from bench.simulated_switches import SimulatedSwitches, simulated_switches
from bench.socket_floor import SocketFloor, socket_floor
from bench.summary import Ratio, Summary, write

_WARM_UP = 3


def spread(cloud: SimulatedCloud, fan_out: int, name: str) -> tuple[Network, list[int]]:
    """A network with a port on each of so many hosts."""
    members = list(range(0, cloud.hosts, max(1, cloud.hosts // fan_out)))[:fan_out]
    network = cloud.network(name, "10.99.0.0/16")
    cloud.fill(network, members)
    cloud.await_quiet()
    return network, members


class Floor:
    """Switches of their own, with a sender of their own."""

    def __init__(self, stack: ExitStack, fan_out: int) -> None:
        [port] = free_ports(1)
        self._fan_out = fan_out
        self._switches: SimulatedSwitches = stack.enter_context(simulated_switches())
        self._sender: SocketFloor = stack.enter_context(socket_floor(port, fan_out))
        self._switches.connect(0, fan_out, port)
        self._sender.ready()

    def once(self, message: bytes, mac: str) -> tuple[float, float]:
        """Milliseconds from sending until the last switch has acknowledged, and until that is heard."""
        self._switches.watch(mac, self._fan_out)
        began, heard = self._sender.send(message)
        reached = self._switches.wait(10)
        if reached is None or reached.switches != self._fan_out:
            raise SystemExit(f"the socket floor: {reached} of {self._fan_out}")
        return (reached.at - began) * 1000, (heard - began) * 1000


def measure(
    cloud: SimulatedCloud, fan_out: int, samples: int, narrowest: float | None = None
) -> dict[str, Any]:
    """Figures of one fan-out; `narrowest` is the median, in milliseconds, of the smallest that was measured."""
    network, members = spread(cloud, fan_out, f"fan{fan_out}")
    added: list[Added] = []
    acknowledged: list[float] = []
    heard: list[float] = []
    with ExitStack() as stack:
        floor = Floor(stack, fan_out)
        for number in range(-_WARM_UP, samples):
            one = cloud.add(network, members[number % fan_out], fan_out)
            message, mac = cloud.switches.heard(), cloud.switches.watched
            time.sleep(0.02)
            bare = floor.once(message, mac)
            if number >= 0:
                added.append(one)
                acknowledged.append(bare[0])
                heard.append(bare[1])
    from_call = [each.from_call for each in added]
    from_accepted = [each.from_accepted for each in added]
    further = [each - narrowest for each in from_call] if narrowest is not None else []
    return {
        "from_call_ms": Summary.of(from_call).as_json(),
        "from_accepted_ms": Summary.of(from_accepted).as_json(),
        "floor_ms": Summary.of(acknowledged).as_json(),
        "floor_heard_ms": Summary.of(heard).as_json(),
        "bytes_to_each": len(message),
        "from_call_over_floor": Ratio.of(from_call, acknowledged).as_json(),
        "from_accepted_over_floor": Ratio.of(from_accepted, acknowledged).as_json(),
        "further_hosts_over_floor": Ratio.of(further, acknowledged).as_json() if further else None,
    }


def run(hosts: int, per_host: int, samples: int, fan_outs: list[int]) -> dict[str, Any]:
    """Fill and measure."""
    with simulated_cloud(hosts) as cloud:
        began = time.monotonic()
        cloud.fill_tenants(0, max(1, hosts // SPAN), per_host)
        print(f"{hosts * per_host} ports on {hosts} hosts after {time.monotonic() - began:.0f} s", flush=True)
        figures: dict[str, Any] = {"hosts": hosts, "ports": hosts * per_host, "fan_out": {}}
        narrowest: float | None = None
        for fan_out in (each for each in fan_outs if each <= hosts):
            found = measure(cloud, fan_out, samples, narrowest)
            narrowest = narrowest or found["from_call_ms"]["p50"]
            figures["fan_out"][str(fan_out)] = found
            print(f"network on {fan_out} hosts: {json.dumps(found)}", flush=True)
        figures["controller_pss_bytes"] = cloud.controller.proportional_bytes()
        figures["switches"] = {
            "errors": cloud.switches.totals().errors,
            "flows": cloud.switches.totals().flows,
        }
        return figures


def main() -> None:
    """Measure, print, and write the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hosts", type=int, default=500)
    parser.add_argument("--ports-per-host", type=int, default=50)
    parser.add_argument("--samples", type=int, default=200)
    parser.add_argument("--fan-outs", default="2,10,50,500")
    parser.add_argument("--output", type=Path, default=Path("build/port_ready.json"))
    options = parser.parse_args()
    fan_outs = [int(each) for each in options.fan_outs.split(",")]
    figures = run(options.hosts, options.ports_per_host, options.samples, fan_outs)
    write(figures, options.output)


if __name__ == "__main__":
    main()
