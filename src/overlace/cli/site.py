"""`overlace site`: places with an underlay of their own."""

import click

from overlace.cli.api import Api, api_options
from overlace.cli.collections import Collection, add_common_commands
from overlace.cli.evacuate import add_evacuation
from overlace.terminal.options import json_option

SITES = Collection("site", "site", "/v2.0/overlace/sites", ("id", "mtu", "description"))
_MTU = click.IntRange(576, 65535)


@click.group()
def site() -> None:
    """Places: data centres, rooms, clouds, each with an underlay of its own.

    \b
    Examples:
      overlace site add tokyo --mtu 9000
      overlace site list
    """


@site.command()
@click.argument("name")
@click.option("--mtu", type=_MTU, default=1500, show_default=True, help="The largest IP packet it carries.")
@click.option("--description", default="")
@api_options
@json_option
def add(name: str, mtu: int, description: str, api: Api, as_json: bool) -> None:
    """Add the site NAME.

    \b
    Example:
      overlace site add tokyo --mtu 9000
    """
    SITES.add(api, {"id": name, "mtu": mtu, "description": description}, as_json)


@site.command("set")
@click.argument("name")
@click.option("--mtu", type=_MTU, help="The largest IP packet it carries.")
@click.option("--description")
@api_options
@json_option
def set_(name: str, mtu: int | None, description: str | None, api: Api, as_json: bool) -> None:
    """Change the site NAME.

    \b
    Example:
      overlace site set tokyo --mtu 1500
    """
    SITES.set(api, name, {"mtu": mtu, "description": description}, as_json)


add_common_commands(site, SITES)
add_evacuation(site, "site")
