"""`overlace underlay`: how the hosts reach each other."""

from collections.abc import Sequence

import click

from overlace.cli.api import Api, Object, api_options
from overlace.terminal.options import json_option
from overlace.terminal.output import show_json, show_table

_host_option = click.option("--host", metavar="NAME", help="Only what this host has part in.")


@click.group()
def underlay() -> None:
    """How the hosts reach each other: who hears whom, what the ways carry, what is wrong.

    \b
    Examples:
      overlace underlay alarms
      overlace underlay liveness --host h1
      overlace underlay paths --json
    """


@underlay.command()
@_host_option
@api_options
@json_option
def alarms(api: Api, host: str | None, as_json: bool) -> None:
    """Show what is wrong with the underlay, and what to do about it.

    \b
    Example:
      overlace underlay alarms --host h1
    """
    found = _ask(api, "alarms", host)
    if as_json:
        show_json(found)
    elif not found:
        click.echo("nothing is wrong")
    else:
        for each in found:
            click.echo(f"{each['kind']}: {each['text']}")


@underlay.command()
@_host_option
@api_options
@json_option
def liveness(api: Api, host: str | None, as_json: bool) -> None:
    """Show who hears whom by BFD, and since when.

    `current` is no where the host has lost the controller: that is what it said last.

    \b
    Example:
      overlace underlay liveness --host h1
    """
    columns = (
        "host",
        "remote_host",
        "remote_address",
        "state",
        "remote_state",
        "since",
        "current",
        "diagnostic",
    )
    _show(_ask(api, "liveness", host), columns, as_json)


@underlay.command()
@_host_option
@api_options
@json_option
def paths(api: Api, host: str | None, as_json: bool) -> None:
    """Show what path-MTU probes have found, in bytes of IP packet between the hosts.

    `network_mtu` is the MTU of the widest network that the way carries.

    \b
    Example:
      overlace underlay paths --host h1
    """
    columns = ("source", "target", "address", "verdict", "carries", "needed", "network_mtu")
    _show(_ask(api, "paths", host), columns, as_json)


def _ask(api: Api, what: str, host: str | None) -> list[Object]:
    return api.collection(f"/v2.0/overlace/{what}", **({"host": host} if host else {}))


def _show(found: list[Object], columns: Sequence[str], as_json: bool) -> None:
    if as_json:
        show_json(found)
        return
    headings = [column.replace("_", " ") for column in columns]
    show_table(headings, [[each[column] for column in columns] for each in found])
