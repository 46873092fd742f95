"""`overlace lab vm launcher`: what starts and ends guests' machines on hosts, for a controller that moves them.

The controller runs `LAUNCHER VERB MACHINE HOST` (see docs/migration.md) and reads one JSON object; a failure is a
message on standard error and an exit status other than 0.
"""

import click

from overlace.lab.guests.guests import Guests
from overlace.lab.guests.place import BLOCK_NODE, Place
from overlace.lab.lab import Lab
from overlace.lab.options import name_option
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


def answer(guests: Guests, verb: str, machine: str, host: str) -> dict[str, object]:
    """Carry out one verb; where the machine is afterwards. Raises `LabError`."""
    match verb:
        case "receive":
            return _place(guests, machine, guests.receive(machine, host))
        case "start":
            return _place(guests, machine, guests.start(machine, host))
        case "remove":
            guests.withdraw(machine, host)
            return {}
        case _:
            place = guests.place(machine, host)
            there = guests.run_state(machine, host) != "stopped"
            return _place(guests, machine, place) if there else {}


def _place(guests: Guests, machine: str, place: Place) -> dict[str, object]:
    disks = [] if guests.get(machine).disk is None else [BLOCK_NODE]
    return {"monitor": str(place.qmp), "address": place.address, "disks": disks}
