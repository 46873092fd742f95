"""`overlace lab vm launcher`: what starts and ends guests' machines on hosts, for a controller that moves them.

The controller runs `LAUNCHER VERB MACHINE HOST` (see docs/migration.md) and reads one JSON object; a failure is a
message on standard error and an exit status other than 0.
"""

import click

from overlace.lab.guests.guests import Guests
from overlace.lab.guests.place import BLOCK_NODE
from overlace.lab.lab import Lab
from overlace.lab.options import name_option
from overlace.orchestration.launcher import Place
from overlace.terminal.output import show_json

VERBS = ("find", "receive", "start", "remove")


@click.command(hidden=True)
@click.argument("verb", type=click.Choice(VERBS))
@click.argument("machine")
@click.argument("host")
@name_option
def launcher(verb: str, machine: str, host: str, name: str) -> None:
    """Start and end machines for a controller: find, receive, start or remove MACHINE at HOST. Prints JSON.

    \b
    Examples:
      overlace serve --launcher "overlace lab vm launcher"
      overlace lab vm launcher receive web h3
    """
    guests = Guests.of(Lab.open(name))
    show_json(answer(guests, verb, machine, host))


def answer(guests: Guests, verb: str, machine: str, host: str) -> Place | dict[str, object]:
    """Carry out one verb; where the machine is afterwards. Raises `LabError`."""
    match verb:
        case "receive":
            guests.receive(machine, host)
        case "start":
            guests.start(machine, host)
        case "remove":
            guests.withdraw(machine, host)
            return {}
        case _ if guests.run_state(machine, host) == "stopped":
            return {}
    return whereabouts(guests, machine, host)


def whereabouts(guests: Guests, machine: str, host: str) -> Place:
    """Where a guest's QEMU is at a host, as those know it who move it."""
    place = guests.place(machine, host)
    disks = () if guests.get(machine).disk is None else (BLOCK_NODE,)
    return Place(str(place.qmp), place.address, disks)
