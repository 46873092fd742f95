"""`overlace machine`: guests, and moving them."""

from typing import Any

import click

from overlace.cli.api import Api, Object, api_options
from overlace.cli.collections import Collection, add_common_commands
from overlace.cli.following import PROCEDURES, age, follow
from overlace.cli.replicate import replicate, told_briefly
from overlace.terminal.options import json_option
from overlace.terminal.output import show_json, show_table

MACHINES = Collection(
    "machine",
    "machine",
    "/v2.0/overlace/machines",
    ("id", "name", "host_id", "driver", "own_disks", "project_id", "replica", "description"),
    {"replica": told_briefly},
)
_MODES = ("auto", "pre-copy", "multifd", "post-copy")
_MOVE_OPTIONS = (
    click.option(
        "--mode", type=click.Choice(_MODES), default="auto", show_default=True, help="How memory is moved."
    ),
    click.option(
        "--bandwidth", type=click.IntRange(min=1), metavar="MBIT", help="At most, in Mbit/s.  [default: all]"
    ),
    click.option(
        "--timeout",
        type=click.IntRange(min=1),
        default=600,
        show_default=True,
        metavar="SECONDS",
        help="Give the transfer of memory up after this time.",
    ),
    click.option(
        "--verify",
        is_flag=True,
        help="Compare disks that go along with their copies before the guest goes: all of them travels back.",
    ),
    click.option("--dry-run", is_flag=True, help="Say what would be moved where, and do nothing."),
    click.option("--no-wait", is_flag=True, help="Return once it has begun."),
)


def move_options(command: Any) -> Any:
    """What moves and evacuations have in common."""
    for option in reversed(_MOVE_OPTIONS):
        command = option(command)
    return command


def begin(api: Api, wish: Object, bandwidth: int | None, dry_run: bool, no_wait: bool, as_json: bool) -> None:
    """Ask for a procedure and, unless told otherwise, wait for its end."""
    body = wish | {"dry_run": dry_run} | ({} if bandwidth is None else {"bandwidth_mbit": bandwidth})
    made = api.post(PROCEDURES, {"procedure": body})["procedure"]
    if dry_run:
        tell_plan(made, as_json)
        if made.get("data_as_of") and not as_json:
            click.echo(f"its disks would be as of {made['data_as_of']}, {age(made):.0f} s ago")
    elif no_wait:
        show_json(made) if as_json else click.echo(f"procedure {made['id']} has begun")
    else:
        follow(api, made, as_json)


def tell_plan(made: Object, as_json: bool) -> None:
    """What would be moved where."""
    if as_json:
        show_json(made["moves"])
    elif not made["moves"]:
        click.echo("nothing would be moved")
    else:
        names = [
            name
            for name in ("machine_id", "from_host", "from_site", "to_host", "to_site")
            if name in made["moves"][0]
        ]
        headings = [name.removesuffix("_id").replace("_", " ") for name in names]
        show_table(headings, [[each[name] for name in names] for each in made["moves"]])


@click.group()
def machine() -> None:
    """Guests that Overlace moves from host to host, their ports with them.

    The ports of a machine are those whose device_id is its id.

    \b
    Examples:
      overlace machine add web --host h1
      overlace machine move web --to-site osaka
      overlace machine move web --to h2 --dry-run
    """


@machine.command()
@click.argument("name")
@click.option("--host", required=True, help="Where it runs.")
@click.option(
    "--driver",
    type=click.Choice(["qmp", "libvirt"]),
    default="qmp",
    show_default=True,
    help="What moves it: QEMU's monitor, or its host's libvirt (the domain has the machine's name).",
)
@click.option("--own-disks", is_flag=True, help="Its disks are its host's own, and go along.")
@click.option("--project", metavar="ID", help="Whose it is.  [default: the caller's]")
@click.option("--description", default="")
@api_options
@json_option
def add(
    name: str,
    host: str,
    driver: str,
    own_disks: bool,
    project: str | None,
    description: str,
    api: Api,
    as_json: bool,
) -> None:
    """Declare the machine NAME, as its hypervisor calls it, which runs on a host.

    \b
    Examples:
      overlace machine add web --host h1
      overlace machine add web --host h1 --own-disks --project PROJECT
      overlace machine add db --host h1 --driver libvirt
    """
    body = {"id": name, "host_id": host, "driver": driver, "own_disks": own_disks, "description": description}
    MACHINES.add(api, body if project is None else body | {"project_id": project}, as_json)


@machine.command()
@click.argument("name")
@click.option("--to", "to_host", metavar="HOST", help="The host to move it to.")
@click.option("--to-site", metavar="SITE", help="The site; the host with the fewest machines there.")
@move_options
@api_options
@json_option
def move(
    name: str,
    to_host: str | None,
    to_site: str | None,
    mode: str,
    bandwidth: int | None,
    timeout: int,
    verify: bool,
    dry_run: bool,
    no_wait: bool,
    api: Api,
    as_json: bool,
) -> None:
    """Move the running machine NAME with its memory, its ports and, if they are its host's own, its disks.

    Ctrl-C ends the waiting, not the move: see `overlace procedure list`, and `overlace procedure abort`.

    \b
    Examples:
      overlace machine move web --to-site osaka
      overlace machine move web --to h2 --mode post-copy --bandwidth 500
      overlace machine move web --to h2 --dry-run --json
    """
    if bool(to_host) == bool(to_site):
        raise click.UsageError("say where to: --to HOST or --to-site SITE")
    found = api.find(MACHINES.path, MACHINES.word, name)
    where = {"to_host": to_host} if to_host else {"to_site": to_site}
    wish = {"kind": "move", "machine_id": found["id"], "mode": mode, "timeout": timeout, **where}
    begin(api, wish | {"verify": verify}, bandwidth, dry_run, no_wait, as_json)


@machine.command()
@click.argument("name")
@click.option("--to", "to_host", metavar="HOST", help="The host to start it at.")
@click.option("--to-site", metavar="SITE", help="The site; the host with the fewest machines there.")
@click.option(
    "--host-is-dead", is_flag=True, help="Its host runs nothing any more: you have made sure of that."
)
@click.option(
    "--disk-is-there", is_flag=True, help="Its disk is at the destination: you have brought it there."
)
@click.option("--dry-run", is_flag=True, help="Say where it would be started, and do nothing.")
@click.option("--no-wait", is_flag=True, help="Return once it has begun.")
@api_options
@json_option
def rescue(
    name: str,
    to_host: str | None,
    to_site: str | None,
    host_is_dead: bool,
    disk_is_there: bool,
    dry_run: bool,
    no_wait: bool,
    api: Api,
    as_json: bool,
) -> None:
    """Start the machine NAME, whose host is dead, at another host from the disk that is there.

    A machine with a replica starts where that is kept, unless told otherwise, and what was written since the moment
    that the replica shows is lost: `--dry-run` tells how long ago that was. Returns when the guest runs. When the old
    host returns it is cleared of the machine; until then its interfaces are fenced. A guest that runs twice on one
    disk destroys it: power the old host off first.

    \b
    Examples:
      overlace machine rescue web --host-is-dead
      overlace machine rescue web --to-site osaka --host-is-dead
      overlace machine rescue web --dry-run --host-is-dead
    """
    if to_host and to_site:
        raise click.UsageError("say --to HOST or --to-site SITE, not both")
    found = api.find(MACHINES.path, MACHINES.word, name)
    wish = {"kind": "rescue", "machine_id": found["id"], "host_is_dead": host_is_dead}
    wish |= {"to_host": to_host} if to_host else {"to_site": to_site} if to_site else {}
    begin(api, wish | {"disk_is_there": disk_is_there}, None, dry_run, no_wait, as_json)


machine.add_command(replicate)
add_common_commands(machine, MACHINES)
