"""`overlace switch` and `overlace link`: the fabric that hop-by-hop networks cross."""

import re

import click

from overlace.cli.api import Api, api_options
from overlace.cli.collections import Collection, add_common_commands
from overlace.cli.failures import WrongUsage
from overlace.cli.operations import add_operations
from overlace.terminal.options import json_option

TRANSIT = Collection(
    "switch",
    "transit_switch",
    "/v2.0/overlace/transit-switches",
    ("id", "site_id", "datapath_id"),
    {"datapath_id": lambda value: f"{value:016x}"},
)
LINKS = Collection(
    "link",
    "link",
    "/v2.0/overlace/links",
    ("id", "a_node", "a_interface", "b_node", "b_interface", "cost"),
)
_COST = click.IntRange(1, 1_000_000)


@click.group()
def switch() -> None:
    """Transit switches: OpenFlow switches between the hosts.

    \b
    Examples:
      overlace switch add s1 --site tokyo --datapath-id 0000000000000011
      overlace switch list
      overlace switch audit s1
    """


@switch.command("add")
@click.argument("name")
@click.option("--site", required=True, help="The site where it stands.")
@click.option(
    "--datapath-id", required=True, metavar="HEX", help="16 hexadecimal digits, as the switch says it."
)
@api_options
@json_option
def add_switch(name: str, site: str, datapath_id: str, api: Api, as_json: bool) -> None:
    """Add the transit switch NAME.

    \b
    Example:
      overlace switch add s1 --site tokyo --datapath-id 0000000000000011
    """
    if not re.fullmatch(r"(0x)?[0-9a-fA-F]{1,16}", datapath_id):
        raise WrongUsage(f"{datapath_id!r} is not a datapath id: 16 hexadecimal digits")
    TRANSIT.add(api, {"id": name, "site_id": site, "datapath_id": int(datapath_id, 16)}, as_json)


@click.group()
def link() -> None:
    """Cables between hosts and transit switches.

    \b
    Examples:
      overlace link add h1:eth1 s1:p1
      overlace link set h1:eth1-s1:p1 --cost 10
    """


@link.command("add")
@click.argument("end_a", metavar="NODE:INTERFACE")
@click.argument("end_b", metavar="NODE:INTERFACE")
@click.option(
    "--cost", type=_COST, default=1, show_default=True, help="Packets take the way that costs least."
)
@api_options
@json_option
def add_link(end_a: str, end_b: str, cost: int, api: Api, as_json: bool) -> None:
    """Add the cable between two interfaces of nodes that are there.

    \b
    Example:
      overlace link add h1:eth1 s1:p1 --cost 10
    """
    (a_node, a_interface), (b_node, b_interface) = _end(end_a), _end(end_b)
    ends = {"a_node": a_node, "a_interface": a_interface, "b_node": b_node, "b_interface": b_interface}
    LINKS.add(api, {**ends, "cost": cost}, as_json)


@link.command("set")
@click.argument("name")
@click.option("--cost", type=_COST, required=True, help="Packets take the way that costs least.")
@api_options
@json_option
def set_link(name: str, cost: int, api: Api, as_json: bool) -> None:
    """Change the link NAME, such as h1:eth1-s1:p1.

    \b
    Example:
      overlace link set h1:eth1-s1:p1 --cost 10
    """
    LINKS.set(api, name, {"cost": cost}, as_json)


def _end(text: str) -> tuple[str, str]:
    node, _, interface = text.partition(":")
    if not (node and interface):
        raise WrongUsage(f"{text!r} is no end of a cable: write NODE:INTERFACE, such as h1:eth1")
    return node, interface


add_common_commands(switch, TRANSIT)
add_operations(switch, TRANSIT)
add_common_commands(link, LINKS)
