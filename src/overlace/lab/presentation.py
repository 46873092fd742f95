"""How the commands of the laboratory show it to people."""

import click

from overlace.lab.guests.presentation import show_guests
from overlace.lab.relay_client import DirectionStatus
from overlace.lab.status import LabStatus
from overlace.terminal.output import show_table


def show_status(status: LabStatus) -> None:
    """Print a laboratory for people."""
    click.echo(f"laboratory {status.name}: {status.phase}; state in {status.directory}")
    click.echo(f"controller: namespace {status.controller_namespace}, address {status.controller}")
    show_table(
        ("node", "kind", "datapath", "site", "tunnel endpoints", "management", "switch", "namespace"),
        [
            (
                node.name,
                node.kind,
                "kernel" if node.datapath == "system" else "userspace",
                node.site,
                " ".join(node.endpoints) or "-",
                node.management,
                "running" if node.running else "stopped",
                node.namespace,
            )
            for node in status.nodes
        ],
    )
    if status.workloads:
        show_table(
            ("workload", "host", "addresses", "MAC", "iface-id", "move"),
            [
                (
                    it.name,
                    it.active.host,
                    " ".join(it.addresses) or ("dhcp" if it.dhcp else "-"),
                    it.mac,
                    it.iface_id,
                    f"prepared: {it.prepared.host}"
                    if it.prepared
                    else f"to release: {it.previous.host}"
                    if it.previous
                    else "-",
                )
                for it in status.workloads
            ],
        )
    if status.guests:
        show_guests(status.guests)
    show_table(
        ("link", "between", "state"),
        [(link.name, ", ".join(link.ends), "cut" if link.cut else "whole") for link in status.links],
    )
    if not status.relay_running and any(link.name == "wan" for link in status.links):
        click.echo("the wide-area relay is not running: bring the laboratory down and up again")
    show_wan(status.wan)


def show_wan(links: dict[str, tuple[DirectionStatus, ...]]) -> None:
    """Print the wide-area links, one direction a line."""
    if not links:
        return
    show_table(
        ("link", "from", "delay ms", "rate Mbit/s", "loss %", "frames", "lost", "overflow", "state"),
        [
            (
                name,
                it.sender,
                f"{it.delay_ms:g}",
                f"{it.rate_mbit:g}" if it.rate_mbit else "no limit",
                f"{it.loss_pct:g}",
                str(it.counters["frames"]),
                str(it.counters["lost"]),
                str(it.counters["overflow"]),
                "cut" if it.cut else "whole",
            )
            for name, directions in links.items()
            for it in directions
        ],
    )
