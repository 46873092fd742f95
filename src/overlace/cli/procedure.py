"""`overlace procedure`: what is being moved, and giving it up."""

import click

from overlace.cli.api import Api, api_options
from overlace.cli.following import PROCEDURES, follow
from overlace.terminal.options import json_option
from overlace.terminal.output import show_json, show_record, show_table

_COLUMNS = ("id", "kind", "machine_id", "from_host", "to_host", "state", "step", "started_at", "reason")


@click.group()
def procedure() -> None:
    """Moves of machines and evacuations, those that run and those that have ended.

    \b
    Examples:
      overlace procedure list --running
      overlace procedure abort ID
    """


@procedure.command("list")
@click.option("--running", is_flag=True, help="Only those that have not ended.")
@click.option("--machine", metavar="NAME", help="Only those of this machine.")
@click.option("--parent", metavar="ID", help="Only the moves of this evacuation.")
@api_options
@json_option
def list_procedures(running: bool, machine: str | None, parent: str | None, api: Api, as_json: bool) -> None:
    """List procedures, the newest first.

    \b
    Examples:
      overlace procedure list --running
      overlace procedure list --machine web --json
    """
    wanted = {"state": "running" if running else None, "machine_id": machine, "parent": parent}
    found = api.collection(PROCEDURES, **{name: value for name, value in wanted.items() if value})
    found = sorted(found, key=lambda each: (str(each["started_at"]), -int(each["place"])), reverse=True)
    if as_json:
        show_json(found)
    elif not found:
        click.echo("nothing of that kind")
    else:
        columns = [name for name in _COLUMNS if name in found[0]]
        headings = [name.removesuffix("_id").replace("_", " ") for name in columns]
        show_table(headings, [[each[name] for name in columns] for each in found])


@procedure.command()
@click.argument("key", metavar="ID")
@click.option("--wait", is_flag=True, help="Wait for its end, and tell how it goes.")
@api_options
@json_option
def show(key: str, wait: bool, api: Api, as_json: bool) -> None:
    """Show the procedure ID, with its progress.

    \b
    Example:
      overlace procedure show ID --wait
    """
    shown = api.get(f"{PROCEDURES}/{key}")["procedure"]
    if wait:
        follow(api, shown, as_json)
    elif as_json:
        show_json(shown)
    else:
        show_record({name.replace("_", " "): value for name, value in shown.items()})


@procedure.command()
@click.argument("key", metavar="ID")
@api_options
@json_option
def abort(key: str, api: Api, as_json: bool) -> None:
    """Give up the procedure ID: its guests stay where they are, and nothing is left elsewhere.

    Refused once a guest is over there; of an evacuation, the moves that have come so far are finished.

    \b
    Example:
      overlace procedure abort ID
    """
    shown = api.post(f"{PROCEDURES}/{key}/abort")["procedure"]
    if as_json:
        show_json(shown)
    else:
        click.echo(f"procedure {key} is being given up; see: overlace procedure show {key} --wait")
