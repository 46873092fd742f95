"""Traffic while a controller is killed and started again: Overlace's, and beside it OVN's on both hosts.

    python -m bench.cold_start [--ports 1000] [--rounds 5] [--seconds 6]

The laboratory and the ports of other tenants are those of bench/first_packet.py. In each round an echo request goes
out every millisecond between two ports of each system in turn, while the system's controller dies by SIGKILL, and a
second later is started again. What was sent and never answered is counted, with the longest silence.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

from bench.first_packet import PROBER_OCTET, Contender, address, attach, grow, overlace, peer
from bench.laboratory import side_by_side
from bench.ovn import Ovn
from bench.summary import write
from bench.tenants import PORTS_OF_TENANT
from tools.cloud import Cloud, host_names, until
from tools.echo_stream import EchoStream, Outcome

from overlace.lab.lab import Lab

_TARGET_OCTET = 3
_INTERVAL = 0.001
_UNTIL_KILLED, _DOWN = 0.5, 1.0
_WARM_UP = 1.0


def run(ports: int, rounds: int, seconds: float, name: str = "coldstart") -> dict[str, list[Outcome]]:
    """Outcomes by system, in a laboratory of its own."""
    taken: dict[str, list[Outcome]] = {"overlace": [], "ovn": []}
    with side_by_side(name) as both:
        restarts = (
            (overlace(both.cloud), lambda: restart(both.cloud)),
            (peer(both.ovn), lambda: restart_peer(both.lab, both.ovn)),
        )
        for contender, _ in restarts:
            contender.tenants.add(0)
            connect(both.lab, contender)
        grow(tuple(contender for contender, _ in restarts), 0, ports // PORTS_OF_TENANT)
        for number in range(rounds):
            for contender, again in restarts:
                taken[contender.name].append(once(both.lab, contender, again, seconds))
            print(f"\r{number + 1}/{rounds}", end="", flush=True)
        print()
    return taken


def connect(lab: Lab, contender: Contender) -> None:
    """A port on each host, reached once: a tunnel's neighbour costs the first packet."""
    for host, octet in (("h1", PROBER_OCTET), ("h2", _TARGET_OCTET)):
        attach(lab, contender, host, f"{contender.name}-{octet}", octet)
        contender.prepare(f"{contender.name}-{octet}", octet)()
    stream(lab, contender, _WARM_UP).outcome()


def stream(lab: Lab, contender: Contender, seconds: float) -> EchoStream:
    """From the port on h1 to that on h2."""
    near = lab.plan.workload_namespace(f"{contender.name}-{PROBER_OCTET}")
    return EchoStream(near, str(address(_TARGET_OCTET)), seconds, _INTERVAL)


def once(lab: Lab, contender: Contender, again: Callable[[], None], seconds: float) -> Outcome:
    """One restart under traffic."""
    running = stream(lab, contender, seconds)
    time.sleep(_UNTIL_KILLED)
    again()
    return running.outcome()


def restart(cloud: Cloud) -> None:
    """Returns when every switch has said that it is in sync."""
    cloud.kill()
    time.sleep(_DOWN)
    cloud.start()
    names = host_names(cloud.lab)
    until(lambda: all(cloud.switch(name).get("acknowledged") for name in names), "hosts do not return", 30)


def restart_peer(lab: Lab, ovn: Ovn) -> None:
    """The part that writes flows: ovn-controller on both hosts."""
    for host in lab.hosts:
        ovn.kill_controller(host)
    time.sleep(_DOWN)
    for host in lab.hosts:
        ovn.start_controller(host)


def main() -> None:
    """Measure, print, and write the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ports", type=int, default=1000, help="ports of tenants: a multiple of 500")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=6.0, help="how long one stream lasts")
    parser.add_argument("--output", type=Path, default=Path("build/cold_start.json"))
    options = parser.parse_args()
    figures = {}
    for name, outcomes in run(options.ports, options.rounds, options.seconds).items():
        lost = sorted(each.lost for each in outcomes)
        gaps = sorted(round(each.longest_gap * 1000, 1) for each in outcomes)
        figures[name] = {"sent_each": outcomes[0].sent, "lost": lost, "longest_gap_ms": gaps}
        print(f"{name:10} of {outcomes[0].sent} each, lost {lost}; longest gap ms {gaps}")
    write(figures, options.output)


if __name__ == "__main__":
    main()
