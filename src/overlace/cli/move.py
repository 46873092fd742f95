"""`overlace move`: the receipts of moves."""

import click

from overlace.cli.api import Api, Object, api_options
from overlace.cli.failures import NotFound
from overlace.terminal.options import json_option
from overlace.terminal.output import show_json, show_record, show_table

_MOVES = "/v2.0/overlace/moves"
_COLUMNS = ("from_host", "to_host", "state", "prepared_at", "activated_at", "ended_at", "reason")


@click.group()
def move() -> None:
    """Moves of ports between hosts: each leaves a receipt.

    \b
    Examples:
      overlace move list --port web
      overlace move show web
    """


@move.command("list")
@click.option("--port", metavar="PORT", help="Only the moves of this port, by id or name.")
@api_options
@json_option
def list_moves(port: str | None, api: Api, as_json: bool) -> None:
    """List moves, the newest first, with the ports' names; with --json their ids as well.

    \b
    Examples:
      overlace move list
      overlace move list --port web --json
    """
    moves = _named(api, _moves(api, port))
    if as_json:
        show_json(moves)
    elif not moves:
        click.echo("nothing has moved yet")
    else:
        headings = ["port", *(name.replace("_", " ") for name in _COLUMNS)]
        rows = [[each["port"] or each["port_id"], *(each[name] for name in _COLUMNS)] for each in moves]
        show_table(headings, rows)


@move.command("show")
@click.argument("port", metavar="PORT")
@click.option("--generation", type=int, help="An older move of the port.  [default: the newest]")
@api_options
@json_option
def show_move(port: str, generation: int | None, api: Api, as_json: bool) -> None:
    """Show the receipt of a move of PORT.

    \b
    Examples:
      overlace move show web
      overlace move show web --generation 4 --json
    """
    found = [each for each in _moves(api, port) if generation in (None, each["generation"])]
    if not found:
        raise NotFound(f"port {port} has no such move; see: overlace move list --port {port}")
    (newest,) = _named(api, found[:1])
    if as_json:
        show_json(newest)
    else:
        show_record({name.replace("_", " "): value for name, value in newest.items()})


def _named(api: Api, moves: list[Object]) -> list[Object]:
    """With the ports' names; a port without one has an empty name."""
    if not moves:
        return []
    ports = api.collection("/v2.0/ports", fields=["id", "name"])
    names = {each["id"]: each["name"] for each in ports}
    return [{"port": names.get(each["port_id"], ""), **each} for each in moves]


def _moves(api: Api, port: str | None) -> list[Object]:
    only = {} if port is None else {"port_id": str(api.find("/v2.0/ports", "port", port)["id"])}
    return sorted(api.collection(_MOVES, **only), key=lambda each: str(each["prepared_at"]), reverse=True)
