"""Tables and plots for people from build/bench.json, each with what was asked beside what was found.

python -m bench.report [--input build/bench.json] [--output docs/results/bench.md]

The plots go beside the tables, as SVG.
"""

import argparse
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.plot import Points, chart

Figures = Mapping[str, Any]


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Lines of a table."""
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    return [*lines, *(f"| {' | '.join(map(str, row))} |" for row in rows)]


def times(each: Figures) -> str:
    """A summary in milliseconds, or what its unit is."""
    return f"{each['p50']:.2f} / {each['p90']:.2f} / {each['p99']:.2f} (n {each['n']})"


def ratio(each: Figures) -> str:
    """A ratio with its 95 % interval."""
    return f"{each['value']:.2f} ({each['low']:.2f} to {each['high']:.2f})"


def port_ready(figures: Figures) -> list[str]:
    """By fan-out."""
    head = ["hosts", "from the request", "from the answer", "socket floor", "request over floor"]
    head += ["further hosts over floor", "asked"]
    rows = [
        (
            fan_out,
            times(each["from_call_ms"]),
            times(each["from_accepted_ms"]),
            times(each["floor_ms"]),
            ratio(each["from_call_over_floor"]),
            ratio(each["further_hosts_over_floor"]) if each.get("further_hosts_over_floor") else "",
            "5 ms, p99 20 ms" if int(fan_out) <= 10 else "1.5 x floor",
        )
        for fan_out, each in figures["fan_out"].items()
    ]
    return [
        f"{figures['ports']:,} ports on {figures['hosts']} simulated hosts; p50 / p90 / p99 in ms until every host has",
        "acknowledged the port. Below zero: the switches were quicker than the answer to the client. Further hosts:",
        "what the hosts beyond those of the narrowest network add, since a floor stores and syncs nothing.",
        "",
        *table(head, rows),
    ]


def first_packet(figures: Figures) -> list[str]:
    """By size."""
    sizes = {size: each for size, each in figures.items() if size.isdigit()}
    routers = "OVN's tenants have routers, Overlace's do not" if figures["ovn_routers"] else "without routers"
    rows = [
        (f"{int(size):,}", times(each["overlace"]), times(each["ovn"]), ratio(each["ratio"]))
        for size, each in sizes.items()
    ]
    lines = table([f"other ports ({routers})", "Overlace", "OVN", "Overlace / OVN, medians"], rows)
    newer = [
        ("ovn-northd, one port added, 500 nodes of 50 ports (8bbd67891)", "773 ms", "30 ms", "23.09"),
        ("one switch added at 500 nodes, `--wait=hv` (2a57b2044)", "15 to 16 s", "4 s", "23.06"),
    ]
    head = ["newer OVN, as its authors publish it: other machines", "before", "after", "first release"]
    return [*lines, "", *table(head, newer)]


_MOVED = {
    "overlace": "Overlace",
    "overlace-silent": "Overlace, nobody announces the move",
    "ovn": "OVN, frames to both hosts",
    "ovn-rarp": "OVN, `activation-strategy=rarp`",
    "evpn": "kernel VXLAN, FRR EVPN, `arp_accept=1`",
}


def move(figures: Figures) -> list[str]:
    """By contender."""

    def row(name: str, each: Figures) -> tuple[object, ...]:
        lost, gap = each["unanswered"], each["gap_ms"]
        ratios = each.get("overlace_over_it")
        over = ("", "") if ratios is None else (ratio(ratios["gap"]), _loss(ratios["unanswered"]))
        return (
            _MOVED[name],
            f"{lost['mean']:g} / {lost['p50']:g} / {lost['p99']:g}",
            each["lost"]["mean"],
            times(gap),
            *over,
        )

    head = ["", "requests unanswered a move, mean / p50 / p99", "frames lost by the network, mean"]
    head += ["longest silence, ms", "Overlace over it: silence", "unanswered"]
    return [
        "A workload and its peer ask each other 500 times a second each, while one moves to and fro between two hosts.",
        "The contenders take turns. A silence of 2 ms is none; switching the cable is a part of it, alike for all.",
        "",
        *table(head, [row(name, figures[name]) for name in _MOVED]),
    ]


def _loss(each: Figures | None) -> str:
    return "too few to compare" if each is None else ratio(each)


_WORK = ("rows_written", "units_projected", "units_built", "flows_bundled", "flows_sent", "bundles")


def flat_cost(figures: Figures) -> list[str]:
    """By size, then the two curves."""

    def row(name: str, each: Figures) -> tuple[object, ...]:
        work = each["work"]
        counted = " / ".join(f"{work[each]:g}" for each in _WORK)
        compared = ratio(each["median_ratio"]) if "median_ratio" in each else ""
        tails = ratio(each["p99_ratio"]) if "p99_ratio" in each else ""
        return name, times(each["from_call_ms"]), counted, compared, tails

    head = [
        "",
        "from the request, ms",
        "rows / units looked at / built / flows bundled / sent / bundles",
        "median over first",
        "p99 over first",
    ]
    lines = [
        f"{figures['hosts']} simulated hosts, one port added to a network on ten of them. Asked: ratios <= 1.2.",
        "",
    ]
    lines += table(head, [row(f"{name} ports of others", each) for name, each in figures["ports"].items()])
    for key, what in (
        ("one_network", "ports in the network"),
        ("one_group", "members of the security group"),
    ):
        lines += [
            "",
            *table(head[:3], [row(f"{size} {what}", each)[:3] for size, each in figures[key].items()]),
        ]
    return lines


_BARRIERS = ("idle", "audit", "restart")


def cold_start(figures: Figures) -> list[str]:
    """Simulated hosts, then real ones."""
    restart, refill = figures["restart"]["restart"], figures["restart"]["refill"]
    rows = [
        ("API answers after the start", f"{restart['api_answers_s']} s"),
        ("all hosts compared and in sync", f"{restart['all_hosts_verified_s']} s"),
        (
            "processor time of the controller for both",
            f"{restart['api_answers_cpu_s']} s, {restart['all_hosts_verified_cpu_s']} s",
        ),
        ("flows compared", f"{restart['flows_compared']:,}"),
        ("tampered with / repaired", f"{restart['tampered']} / {restart['repaired']}"),
        ("flow modifications written, markers included", restart["flow_mods_written"]),
        ("an empty switch refilled, ms", times(refill["ms"])),
        ("its flows / bundles, medians", f"{refill['flows']['p50']:,.0f} / {refill['bundles']['p50']:.0f}"),
    ]
    lines = [
        f"{figures['restart']['ports']:,} ports, {figures['restart']['flows']:,} flows on "
        f"{figures['restart']['hosts']} simulated hosts; the controller is killed.",
        "",
        *table(["", "found"], rows),
        "",
    ]
    traffic = {name: each for name, each in figures["traffic"].items() if isinstance(each, dict)}
    head = ["real switches, 1 ms stream", "lost", "longest silence, ms"]
    lines += table(head, [(name, each["lost"], each["longest_gap_ms"]) for name, each in traffic.items()])
    barriers = figures["audit"]
    head = [f"a barrier of a real switch with {barriers['flows']:,} flows, ms", "p50 / p90 / p99"]
    return [*lines, "", *table(head, [(what, times(barriers[what])) for what in _BARRIERS])]


def memory(figures: Figures) -> list[str]:
    """Slopes, and what they come from."""
    rows = [
        (f"a port on networks of {span} host(s)", f"{slope:,}", "4,096")
        for span, slope in figures["bytes_per_port"].items()
    ]
    rows.append(("a host", f"{figures['bytes_per_host']:,}", ""))
    if "bytes_per_port_and_host" in figures:
        rows.append(("a port on one more host", f"{figures['bytes_per_port_and_host']:,}", ""))
    return table(["PSS after churn", "bytes", "asked"], rows)


def datapath(figures: Figures) -> list[str]:
    """By pipeline."""
    ways = {
        name: each for name, each in figures.items() if isinstance(each, dict) and "lookups_first" in each
    }
    head = ["pipeline", "µs a packet, both switches", "lookups", "first exchange, ms"]
    rows = [
        (
            name,
            times(each["cpu_us_per_packet"]),
            each["lookups_established"],
            times(each["first_exchange_ms"]),
        )
        for name, each in ways.items()
    ]
    kinds = {
        "cpu_ratios": "in bursts of 32",
        "cpu_ratios_alone": "one by one",
        "cpu_ratios_unordered": "unordered",
    }
    taken = {kind: column for kind, column in kinds.items() if kind in figures}
    ratios = [(name, *(ratio(figures[kind][name]) for kind in taken)) for name in figures["cpu_ratios"]]
    return [*table(head, rows), "", *table(["processor time a packet", *taken.values()], ratios)]


def boot_storm(figures: Figures) -> list[str]:
    """Simulated hosts and real ones."""
    head = ["ports", "clients", "hosts", "until", "seconds", "a request, ms"]
    ends = {"simulated": "all are ACTIVE, hosts simulated", "pings": "each has answered a ping"}
    rows = [
        (
            each["ports"],
            each["clients"],
            each["hosts"],
            ends[name],
            times(each["seconds"]),
            times(each["request_ms"]),
        )
        for name, each in figures.items()
        if name in ends
    ]
    return table(head, rows)


def api_rates(figures: Figures) -> list[str]:
    """By request."""
    found = {what: each for what, each in figures.items() if isinstance(each, dict) and "unit" in each}
    rows = [(what, each["unit"], times(each), each["cpu_ms"]) for what, each in found.items()]
    return table(["", "unit", "p50 / p90 / p99", "controller's processor time, ms"], rows)


SECTIONS: Mapping[str, Callable[[Figures], list[str]]] = {
    each.__name__: each
    for each in (
        port_ready,
        first_packet,
        flat_cost,
        cold_start,
        memory,
        datapath,
        move,
        boot_storm,
        api_rates,
    )
}


def plots(figures: Figures) -> dict[str, str]:
    """Pictures by name, of those scenarios that were run at more than one size."""
    drawn: dict[str, tuple[str, str, dict[str, Points]]] = {}
    if found := figures.get("port_ready", {}).get("fan_out"):
        ways = {"from the request": "from_call_ms", "socket floor": "floor_ms"}
        series = {name: _medians(found, way) for name, way in ways.items()}
        drawn["port_ready"] = "A port until all its hosts have it", "hosts of the network", series
    if found := {size: each for size, each in figures.get("first_packet", {}).items() if size.isdigit()}:
        series = {name: _medians(found, name) for name in ("overlace", "ovn")}
        drawn["first_packet"] = "API call to first answered packet", "other ports", series
    if found := figures.get("flat_cost"):
        ways = {"ports of others": "ports", "ports in the network": "one_network", "members": "one_group"}
        series = {name: _medians(found[way], "from_call_ms") for name, way in ways.items()}
        drawn["flat_cost"] = "One port more", "so many there were", series
    return {
        name: chart(title, across, "milliseconds, medians", series)
        for name, (title, across, series) in drawn.items()
        if max(map(len, series.values())) > 1
    }


def _medians(found: Figures, way: str) -> Points:
    """By size; what has no size, as after churn, is left out."""
    return [(int(size), each[way]["p50"]) for size, each in found.items() if size.isdigit() and int(size)]


def document(figures: Figures) -> str:
    """All scenarios that were run, each with the machine it was run on."""
    lines = [
        "# `make bench`",
        "",
        "Made by `python -m bench.report`; [results.md](../results.md) says what to think of it.",
    ]
    drawn = plots(figures)
    for key, section in SECTIONS.items():
        if key not in figures:
            continue
        taken = figures[key]["taken"]
        lines += ["", f"## `{key}`", "", *section(figures[key]), ""]
        if key in drawn:
            lines += [f"![{key}]({key}.svg)", ""]
        lines += [
            f"{taken['at']}, Overlace {taken['overlace']}, Open vSwitch {taken['open_vswitch']}, OVN {taken['ovn']}, "
            f"Python {taken['python']}, Linux {taken['kernel']}, {taken['processors']}, "
            f"which {'halt when idle' if taken.get('processors_halt', True) else 'are kept awake'}; "
            f"load before {taken['load_average']}."
        ]
        if taken["short"]:
            lines += ["", "A short run: it shows that the scenario works, and no figure of it counts."]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--input", type=Path, default=Path("build/bench.json"))
    parser.add_argument("--output", type=Path, default=Path("docs/results/bench.md"))
    options = parser.parse_args()
    options.output.parent.mkdir(parents=True, exist_ok=True)
    figures = json.loads(options.input.read_text())
    options.output.write_text(document(figures))
    for name, picture in plots(figures).items():
        options.output.with_name(f"{name}.svg").write_text(picture)


if __name__ == "__main__":
    main()
