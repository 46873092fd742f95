"""`overlace lab`: bring laboratories up and down, and look at them."""

import click

from overlace.lab.description import builtin_names, builtin_text, load_topology
from overlace.lab.errors import LabError
from overlace.lab.guests.commands import vm
from overlace.lab.lab import Lab
from overlace.lab.link_commands import cut, heal, wan
from overlace.lab.options import LabGroup, name_option
from overlace.lab.presentation import show_status
from overlace.lab.state import StateFile, lab_directory
from overlace.lab.status import describe
from overlace.lab.workload_commands import attach, detach, exec_, move
from overlace.terminal.options import json_option
from overlace.terminal.output import progress, show_json, show_table


@click.group(name="lab", cls=LabGroup)
def lab_group() -> None:
    """Emulate sites on this machine, to try Overlace without any other.

    Hosts are network namespaces with an Open vSwitch of their own; routers and a wide-area relay join the
    sites.  Needs root, iproute2 and Open vSwitch.

    \b
    Examples:
      overlace lab up
      overlace lab exec h1 -- ovs-vsctl show
      overlace lab attach h1 web --mac fa:16:3e:00:00:01 --iface-id PORT --ip 192.168.0.5/24
      overlace lab move web h3
      overlace lab vm create db --host h1 --port PORT --mac fa:16:3e:00:00:02 --dhcp
      overlace lab wan --delay 50 --loss 0.1 --rate 100
      overlace lab down
    """


@lab_group.command()
@click.option(
    "--topology",
    "source",
    default="default",
    show_default=True,
    metavar="FILE|default|transit",
    help="A built-in topology or a YAML file (see `overlace lab topology`).",
)
@click.option(
    "--kernel",
    "machines",
    multiple=True,
    metavar="HOST",
    help="Make HOST a machine of its own, with the datapath of its kernel; may be repeated.",
)
@name_option
@json_option
def up(source: str, machines: tuple[str, ...], name: str, as_json: bool) -> None:
    """Build a laboratory.

    \b
    Examples:
      overlace lab up
      overlace lab up --topology transit --name hop
      overlace lab up --topology my-sites.yaml
      overlace lab up --kernel h3
    """
    topology = load_topology(source).with_kernel(machines)
    with progress(f"laboratory {name}") as report:
        Lab.up(topology, name, progress=report)
    status = describe(name)
    if as_json:
        show_json(status)
    else:
        show_status(status)


@lab_group.command()
@name_option
@click.option("--all", "everything", is_flag=True, help="Remove every laboratory of this state directory.")
@click.option("--orphans", is_flag=True, help="Also remove namespaces of that name whose state is lost.")
@json_option
def down(name: str, everything: bool, orphans: bool, as_json: bool) -> None:
    """Remove a laboratory: its processes, namespaces and files.  May be repeated.

    \b
    Examples:
      overlace lab down
      overlace lab down --name hop
      overlace lab down --all
    """
    names = Lab.names() if everything else (name,)
    with progress("removing"):
        removed = [each for each in names if Lab.remove(each, orphans=orphans)]
    if as_json:
        show_json({"removed": removed})
    else:
        click.echo(f"removed: {', '.join(removed)}" if removed else "nothing to remove")


@lab_group.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the laboratories of this machine.

    \b
    Example:
      overlace lab list --json
    """
    states = [StateFile(lab_directory(name)).load() for name in Lab.names()]
    if as_json:
        summary = [
            {
                "name": state.name,
                "phase": state.phase,
                "hosts": state.topology.host_names(),
                "workloads": list(state.workloads),
                "guests": list(state.guests),
            }
            for state in states
        ]
        show_json(summary)
    elif not states:
        click.echo("no laboratory; start one with `overlace lab up`")
    else:
        rows = [
            (
                state.name,
                state.phase,
                " ".join(state.topology.switch_names()),
                len(state.workloads),
                len(state.guests),
            )
            for state in states
        ]
        show_table(("name", "phase", "nodes", "workloads", "guests"), rows)


@lab_group.command()
@name_option
@json_option
def status(name: str, as_json: bool) -> None:
    """Show hosts, workloads and links of a laboratory.

    \b
    Examples:
      overlace lab status
      overlace lab status --json
    """
    described = describe(name)
    if as_json:
        show_json(described)
    else:
        show_status(described)


@lab_group.command()
@click.argument("builtin", default="default", metavar="[default|transit]")
@json_option
def topology(builtin: str, as_json: bool) -> None:
    """Print a built-in topology as YAML, to start your own from.

    \b
    Example:
      overlace lab topology transit > my-sites.yaml
    """
    if builtin not in builtin_names():
        raise LabError(f"no built-in topology is called '{builtin}'; there are {', '.join(builtin_names())}")
    if as_json:
        show_json(load_topology(builtin))
    else:
        click.echo(builtin_text(builtin), nl=False)


for command in (attach, detach, exec_, move, vm, wan, cut, heal):
    lab_group.add_command(command)
