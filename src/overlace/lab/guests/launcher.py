"""`overlace lab vm launcher`: what starts and ends guests' machines on hosts, for a controller that moves them.

The controller runs `LAUNCHER VERB MACHINE HOST` (see docs/migration.md) and reads one JSON object; a failure is a
message on standard error and an exit status other than 0.
"""

import click

from overlace.lab.guests.guests import Guests
from overlace.lab.guests.place import BLOCK_NODE, Place as Files
from overlace.lab.lab import Lab
from overlace.lab.options import name_option
from overlace.orchestration.launcher import Place
from overlace.terminal.output import show_json

_TRY_AGAIN = 75
"""sysexits.h; see docs/migration.md"""
VERBS = ("find", "receive", "start", "hold", "remove")


@click.command(hidden=True)
@click.argument("verb", type=click.Choice(VERBS))
@click.argument("machine")
@click.argument("host")
@name_option
def launcher(verb: str, machine: str, host: str, name: str) -> None:
    """Start and end machines for a controller: find, receive, start, hold or remove MACHINE at HOST. Prints JSON.

    \b
    Examples:
      overlace serve --launcher "overlace lab vm launcher"
      overlace lab vm launcher receive web h3
    """
    lab = Lab.open(name)
    if f"mgmt-{host}" in lab.state.cut:
        click.echo(f"host {host} does not answer: its link mgmt-{host} is cut", err=True)
        raise SystemExit(_TRY_AGAIN)
    guests = Guests.of(lab)
    show_json(answer(guests, verb, machine, host))


def answer(guests: Guests, verb: str, machine: str, host: str) -> Place | dict[str, object]:
    """Carry out one verb; where the machine is afterwards. Raises `LabError`."""
    match verb:
        case "receive":
            guests.receive(machine, host)
        case "start":
            guests.start(machine, host)
        case "hold":
            return _as_told(guests, machine, guests.hold(machine, host))
        case "remove":
            guests.withdraw(machine, host)
            return {}
        case _ if guests.run_state(machine, host) == "stopped":
            return {}
    return whereabouts(guests, machine, host)


def whereabouts(guests: Guests, machine: str, host: str) -> Place:
    """Where a guest's QEMU is at a host, as those know it who move it."""
    return _as_told(guests, machine, guests.place(machine, host))


def _as_told(guests: Guests, machine: str, place: Files) -> Place:
    disks = () if guests.get(machine).disk is None else (BLOCK_NODE,)
    return Place(str(place.qmp), place.address, disks)
