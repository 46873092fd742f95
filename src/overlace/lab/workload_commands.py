"""`overlace lab attach, detach, exec, move`: workloads, and programs in namespaces."""

import os
import sys
from typing import NoReturn

import click

from overlace.lab.errors import LabError
from overlace.lab.execution import environment, in_namespace, missing
from overlace.lab.lab import Lab
from overlace.lab.options import name_option
from overlace.lab.plan import DEFAULT_BRIDGE
from overlace.lab.state import Workload
from overlace.terminal.options import json_option
from overlace.terminal.output import show_json


@click.command()
@click.argument("host")
@click.argument("workload")
@click.option("--mac", required=True, help="The port's MAC address.")
@click.option("--iface-id", required=True, help="The id of the logical port.")
@click.option("--ip", "ips", multiple=True, metavar="ADDRESS/LENGTH", help="An address; may be repeated.")
@click.option("--gateway", "gateways", multiple=True, help="A default gateway; once for each family.")
@click.option("--mtu", type=int, help="In bytes; default what the underlay carries, at most 1500.")
@click.option("--dhcp", is_flag=True, help="Ask for the address by DHCP.")
@click.option("--bridge", default=DEFAULT_BRIDGE, show_default=True, help="The host's integration bridge.")
@name_option
@json_option
def attach(
    host: str,
    workload: str,
    mac: str,
    iface_id: str,
    ips: tuple[str, ...],
    gateways: tuple[str, ...],
    mtu: int | None,
    dhcp: bool,
    bridge: str,
    name: str,
    as_json: bool,
) -> None:
    """Make WORKLOAD, a namespace with one interface, and plug it into HOST.

    \b
    Examples:
      overlace lab attach h1 web --mac fa:16:3e:00:00:01 --iface-id PORT --ip 192.168.0.5/24
      overlace lab attach h3 db --mac fa:16:3e:00:00:02 --iface-id PORT --dhcp
    """
    lab = Lab.open(name)
    made = lab.attach(
        host,
        workload,
        mac=mac,
        iface_id=iface_id,
        ips=ips,
        gateways=gateways,
        mtu=mtu,
        dhcp=dhcp,
        bridge=bridge,
    )
    lease = lab.lease(workload) if dhcp else {}
    if as_json:
        show_json({"workload": made, "lease": lease})
    else:
        address = lease.get("ip") or " ".join(ips) or "no address"
        click.echo(f"{workload} is at {host} ({made.host_interface} of {bridge}): {address}")


@click.command()
@click.argument("workload")
@name_option
@json_option
def detach(workload: str, name: str, as_json: bool) -> None:
    """Remove WORKLOAD: its processes, namespace and ports.

    \b
    Example:
      overlace lab detach web
    """
    Lab.open(name).detach(workload)
    if as_json:
        show_json({"detached": workload})
    else:
        click.echo(f"{workload} is detached")


@click.command("exec", context_settings={"ignore_unknown_options": True})
@click.argument("where")
@click.argument("argv", nargs=-1, required=True, type=click.UNPROCESSED)
@name_option
def exec_(where: str, argv: tuple[str, ...], name: str) -> None:
    """Run a program in a workload, at a host or transit switch, or in the namespace called `controller`.

    At hosts and transit switches, ovs-vsctl and its kin find that node's Open vSwitch. At a host that is a machine of
    its own (`lab up --kernel`), the program reads nothing from the terminal, and its output comes when it has ended.

    \b
    Examples:
      overlace lab exec web -- ping -c 3 192.168.0.6
      overlace lab exec h1 -- ovs-ofctl dump-flows br-overlace
      overlace lab exec controller -- ip address
    """
    lab = Lab.open(name)
    if where in lab.plan.topology.kernel_names():
        _exec_at_machine(lab, where, argv)
    netns, env = _place(lab, where)
    command = in_namespace(netns, argv)
    variables = environment(env)
    try:
        os.execvpe(command[0], command, variables)
    except FileNotFoundError as error:
        raise missing(command[0]) from error


def _exec_at_machine(lab: Lab, host: str, argv: tuple[str, ...]) -> NoReturn:
    done = lab.host_run(host, argv, check=False, timeout=3600)
    click.echo(done.stdout, nl=False)
    click.echo(done.stderr, nl=False, err=True)
    sys.exit(done.status)


def _place(lab: Lab, where: str) -> tuple[str, dict[str, str]]:
    if where == "controller":
        return lab.controller_namespace, {}
    for node in lab.plan.nodes:
        if node.name == where:
            return node.namespace, node.environment
    if where in lab.state.workloads:
        return lab.plan.workload_namespace(where), {}
    if where in lab.state.guests:
        raise LabError(
            f"'{where}' is a guest: run programs in it by `overlace lab vm console {where} -- ...`"
        )
    known = ", ".join(["controller", *(node.name for node in lab.plan.nodes), *lab.state.workloads])
    raise LabError(f"there is no '{where}' in laboratory '{lab.name}'; there are {known}")


@click.command()
@click.argument("workload")
@click.argument("to_host", required=False)
@click.option(
    "--step",
    type=click.Choice(["all", "prepare", "complete", "release", "abort"]),
    default="all",
    show_default=True,
    help="Do one step of the move only.",
)
@click.option("--announce/--no-announce", default=True, help="Send a RARP at the destination, as QEMU does.")
@click.option("--bridge", help="The destination's integration bridge; default as at the source.")
@name_option
@json_option
def move(
    workload: str,
    to_host: str | None,
    step: str,
    announce: bool,
    bridge: str | None,
    name: str,
    as_json: bool,
) -> None:
    """Move WORKLOAD to another host.  Its addresses and its open connections stay.

    \b
    Examples:
      overlace lab move web h3
      overlace lab move web h3 --step prepare
      overlace lab move web --step complete
      overlace lab move web --step release
    """
    lab = Lab.open(name)
    if step in ("all", "prepare"):
        if to_host is None:
            raise click.UsageError("say to which host: overlace lab move WORKLOAD HOST")
        moved = lab.prepare_move(workload, to_host, bridge=bridge)
        told = f"{workload} is prepared at {to_host}"
    report: dict[str, object] = {}
    if step in ("all", "complete"):
        cutover = lab.complete_move(workload, announce=announce)
        report["cutover"] = cutover
        told = f"{workload} moved from {cutover.source} to {cutover.destination}"
        told += f"; switched within {cutover.milliseconds:g} ms"
        moved = lab.workload(workload)
    if step in ("all", "release"):
        moved = lab.release_move(workload)
        told = told if step == "all" else f"{workload} has left its former host"
    if step == "abort":
        moved = lab.abort_move(workload)
        told = f"{workload} stays at {moved.active.host}"
    _tell(moved, report, told, as_json)


def _tell(workload: Workload, report: dict[str, object], told: str, as_json: bool) -> None:
    if as_json:
        show_json({"workload": workload, **report})
    else:
        click.echo(told)
