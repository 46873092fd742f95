"""Moves of a workload: Overlace, OVN at its best and kernel VXLAN with FRR's EVPN on the same hosts, turn by turn.

    python -m bench.move [--moves 20] [--output FILE]

One laboratory of three hosts at one site; on each stand all systems' bridges. Each contender has a workload on h1, and
one that moves to and fro between h2 and h3. Each sends the other 500 echo requests a second, so that 1,000 frames go
either way. A move is a re-plugging: the second interface is there and prepared, the cable is switched over by
three netlink messages, and the workload is announced at its new host by a RARP, as QEMU does; or not, where the name
says `silent`. Ports of Overlace have stateful security; those of the others have none. The contenders take turns, move
by move.

    overlace         prepared by the second interface, activated by the first frame
    overlace-silent  the same, without the RARP
    ovn              requested-chassis=h2,h3: frames go to both hosts while the move lasts
    ovn-rarp         the same with activation-strategy=rarp: the new host is closed until it is announced
    evpn             the bridge learns where the workload is, and bgpd tells it; arp_accept=1

`unanswered` are requests without an answer; `gap` is the longest silence of either stream. `lost` are frames that
entered a bridge and came out nowhere, or at the old host after the workload had spoken at the new one
(tools/frame_watch.py).
"""

import argparse
import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.evpn import SPARE, Evpn, evpn_on
from bench.laboratory import side_by_side
from bench.ovn import BRIDGE as OVN_BRIDGE, Ovn
from bench.summary import RESAMPLES, Ratio, Summary, write
from tools.cloud import Cloud, until
from tools.echo_stream import EchoStream
from tools.frame_watch import PEER, FrameWatch

from overlace.lab.lab import Lab
from overlace.lab.plan import DEFAULT_BRIDGE

HOSTS = ("h1", "h2", "h3")
INTERVAL = 0.002
"""Of each of the two streams."""
BEFORE, AFTER = 0.3, 0.5
"""How long the stream runs before and after the cut-over, in seconds."""
STAYS, MOVES = 11, 12
PATIENCE = 20.0
OURS = "overlace"


@dataclass(frozen=True, slots=True)
class Moved:
    """What one move cost."""

    unanswered: int
    gap_ms: float
    lost: int


@dataclass(frozen=True, slots=True)
class Contender:
    """One system and how it is used. `plugged(host, interface)` is called when an interface of the moving workload is
    there, `prepare(there)` makes the move ready, and `finish(there)` ends it after the cut-over."""

    name: str
    bridge: str
    iface_ids: Mapping[int, str]
    plugged: Callable[[str, str], object]
    prepare: Callable[[str], object]
    finish: Callable[[str], object]
    announced: bool = True

    def workload(self, octet: int) -> str:
        return f"{self.name}-{octet}"


def main() -> None:
    """Measure, print, and write the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--moves", type=int, default=20, help="of each contender")
    parser.add_argument("--output", type=Path, default=Path("build/move.json"))
    options = parser.parse_args()
    if options.moves < 1:
        parser.error("at least one move")
    found = run(options.moves)
    show(found)
    write(figures(found), options.output)


def run(moves: int, name: str = "benchmove") -> dict[str, list[Moved]]:
    """What each move of each contender cost, in a laboratory of its own."""
    with side_by_side(name, HOSTS) as both, evpn_on(both.lab) as evpn:
        contenders = (
            overlace(both.cloud, OURS, announced=True),
            overlace(both.cloud, f"{OURS}-silent", announced=False),
            ovn(both.ovn, "ovn", ""),
            ovn(both.ovn, "ovn-rarp", "rarp"),
            frr(evpn),
        )
        for each in contenders:
            furnish(both.lab, each)
        found: dict[str, list[Moved]] = {each.name: [] for each in contenders}
        for number in range(moves):
            there = "h3" if number % 2 == 0 else "h2"
            for each in contenders[:: 1 if number % 2 else -1]:
                found[each.name].append(move(both.lab, each, there))
            print(f"\r{number + 1}/{moves}", end="", flush=True)
    print()
    return found


def overlace(cloud: Cloud, name: str, *, announced: bool) -> Contender:
    """A network of its own, two ports."""
    tenant = name.replace("-", "")
    cloud.tenant(tenant)
    ports = {octet: cloud.port(f"{tenant}{octet}", octet)["id"] for octet in (STAYS, MOVES)}
    path = f"/v2.0/overlace/ports/{ports[MOVES]}/realisation"

    def bindings() -> dict[str, str]:
        return dict(cloud.api("GET", path)["realisation"]["bindings"])

    def prepare(there: str) -> None:
        until(lambda: bindings().get(there) == "prepared", f"{name}: not prepared", PATIENCE)

    def finish(there: str) -> None:
        until(lambda: bindings().get(there) == "active", f"{name}: the port has not moved", PATIENCE)

    return Contender(name, DEFAULT_BRIDGE, ports, nothing, prepare, finish, announced)


def ovn(central: Ovn, name: str, activation: str) -> Contender:
    """A logical switch of its own, two ports. Between moves the port asks for one chassis, and for both during one."""
    ports = {octet: f"{name}-port{octet}" for octet in (STAYS, MOVES)}
    central.nbctl("ls-add", name)
    for octet, port in ports.items():
        central.nbctl("lsp-add", name, port)
        central.nbctl("lsp-set-addresses", port, f"{mac(octet)} 192.168.0.{octet}")

    def ask(place: str, besides: frozenset[str], *options: str) -> None:
        """Returns when the chassis have claimed the port and every host knows."""
        wanted = ",".join([place, *besides])
        central.nbctl("--wait=hv", "lsp-set-options", ports[MOVES], f"requested-chassis={wanted}", *options)
        claimed = f"{name}: not claimed as asked"
        until(lambda: central.places(ports[MOVES]) == (place, besides), claimed, PATIENCE)
        central.nbctl("--wait=hv", "sync")

    def prepare(there: str) -> None:
        options = [f"activation-strategy={activation}"] if activation else []
        ask("h2" if there == "h3" else "h3", frozenset({there}), *options)

    def finish(there: str) -> None:
        ask(there, frozenset())

    return Contender(name, OVN_BRIDGE, ports, nothing, prepare, finish)


def frr(evpn: Evpn) -> Contender:
    """All on one bridge. There is nothing to prepare."""
    ports = {octet: f"evpn-port{octet}" for octet in (STAYS, MOVES)}
    return Contender("evpn", SPARE, ports, evpn.plug, nothing, nothing)


def nothing(*_: object) -> None:
    """What a system has no need of."""


def mac(octet: int) -> str:
    """The MAC address that goes with the last octet of an address."""
    return f"02:00:00:00:00:{octet:02x}"


def furnish(lab: Lab, contender: Contender) -> None:
    """Both workloads, which know each other and have talked."""
    for octet, host in ((STAYS, "h1"), (MOVES, "h2")):
        other = MOVES if octet == STAYS else STAYS
        made = lab.attach(
            host,
            contender.workload(octet),
            mac=mac(octet),
            iface_id=contender.iface_ids[octet],
            ips=[f"192.168.0.{octet}/24"],
            bridge=contender.bridge,
        )
        contender.plugged(host, made.host_interface)
        known = f"ip neigh add 192.168.0.{other} lladdr {mac(other)} dev eth0"
        lab.exec(contender.workload(octet), known.split())
    contender.finish("h2")
    namespace = lab.plan.workload_namespace(contender.workload(STAYS))
    until(lambda: reached(namespace), f"{contender.name}: the workloads do not reach each other", PATIENCE)


def reached(namespace: str) -> bool:
    """Whether a few requests are all answered."""
    return EchoStream(namespace, f"192.168.0.{MOVES}", 0.1, 0.01).outcome().lost == 0


def move(lab: Lab, contender: Contender, there: str) -> Moved:
    """One move under the stream. Raises SystemExit when the workload is not reached afterwards."""
    name = contender.workload(MOVES)
    workload = lab.prepare_move(name, there)
    contender.plugged(there, workload.host_interface)
    contender.prepare(there)
    namespace = lab.plan.workload_namespace(contender.workload(STAYS))
    peer = lab.workload(contender.workload(STAYS))
    points = {host: (lab.host(host).namespace, workload.host_interface) for host in ("h2", "h3")}
    points[PEER] = (lab.host("h1").namespace, peer.host_interface)
    watch = FrameWatch(points, mac(MOVES), mac(STAYS))
    streams = [
        EchoStream(namespace, f"192.168.0.{MOVES}", 60, INTERVAL),
        EchoStream(lab.plan.workload_namespace(name), f"192.168.0.{STAYS}", 60, INTERVAL),
    ]
    time.sleep(BEFORE)
    lab.complete_move(name, announce=contender.announced)
    time.sleep(AFTER)
    last = datetime.now(UTC).timestamp()
    for each in streams:
        each.stop()
    outcomes = [each.outcome() for each in streams]
    seen = watch.account(watch.stop(), there, last)
    contender.finish(there)
    lab.release_move(name)
    until(lambda: reached(namespace), f"{contender.name}: not reached after a move to {there}", PATIENCE)
    gap_ms = round(max(each.longest_gap for each in outcomes) * 1000, 3)
    return Moved(sum(each.lost for each in outcomes), gap_ms, seen.lost + seen.misdelivered)


def loss_ratio(ours: Sequence[int], theirs: Sequence[int], seed: int = 1) -> Ratio | None:
    """What we lose for each that they lose, all moves together, with the interval of a percentile bootstrap. None when
    they lose too little for there to be one: where a resample of their moves has no loss at all."""
    source = random.Random(seed)

    def resampled(moves: Sequence[int]) -> int:
        return sum(source.choices(moves, k=len(moves)))

    pairs = [(resampled(ours), resampled(theirs)) for _ in range(RESAMPLES)]
    if not all(other for _, other in pairs):
        return None
    ratios = sorted(mine / other for mine, other in pairs)
    return Ratio(sum(ours) / sum(theirs), ratios[int(0.025 * RESAMPLES)], ratios[int(0.975 * RESAMPLES)])


def figures(found: Mapping[str, Sequence[Moved]]) -> dict[str, Any]:
    """For build/bench.json: each contender's costs, and Overlace's over them."""
    ours = found[OURS]
    told: dict[str, Any] = {}
    for name, moves in found.items():
        told[name] = {
            what: Summary.of([getattr(each, what) for each in moves]).as_json()
            | {"mean": round(statistics.mean(getattr(each, what) for each in moves), 2)}
            for what in ("unanswered", "gap_ms", "lost")
        }
        if name != OURS:
            gap = Ratio.of([each.gap_ms for each in ours], [each.gap_ms for each in moves])
            loss = loss_ratio([each.unanswered for each in ours], [each.unanswered for each in moves])
            told[name]["overlace_over_it"] = {
                "gap": gap.as_json(),
                "unanswered": None if loss is None else loss.as_json(),
            }
    return told


def show(found: Mapping[str, Sequence[Moved]]) -> None:
    """Print what was found."""
    for name, told in figures(found).items():
        counts = f"unanswered mean {told['unanswered']['mean']:g} p50 {told['unanswered']['p50']:g}"
        counts += f" p99 {told['unanswered']['p99']:g}  gap ms p50 {told['gap_ms']['p50']:g}"
        counts += f" p99 {told['gap_ms']['p99']:g}  lost mean {told['lost']['mean']:g}"
        print(f"{name:16} {counts}")
        if ratios := told.get("overlace_over_it"):
            print(f"{'':16} overlace over it: gap {ratios['gap']}, unanswered {ratios['unanswered']}")


if __name__ == "__main__":
    main()
