"""`overlace underlay`: how the hosts reach each other."""

from collections.abc import Sequence

import click

from overlace.cli.api import Api, Object, api_options
from overlace.cli.observe import CONTROLLER
from overlace.terminal.options import json_option
from overlace.terminal.output import show_json, show_table

_host_option = click.option("--host", metavar="NAME", help="Only what this host has part in.")


@click.group()
def underlay() -> None:
    """How the hosts reach each other: who hears whom, what the ways carry, what is wrong, and by which UDP port.

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


@underlay.command()
@api_options
@json_option
def show(api: Api, as_json: bool) -> None:
    """Show the UDP port of all hosts' tunnels.

    \b
    Example:
      overlace underlay show
    """
    said = api.get(CONTROLLER)["controller"]
    if as_json:
        show_json({"tunnel_port": said["tunnel_port"]})
    else:
        click.echo(f"tunnels use UDP port {said['tunnel_port']}")


@underlay.command("set")
@click.option("--tunnel-port", type=click.IntRange(1, 65535), required=True, help="The same for all hosts.")
@api_options
@json_option
def set_(tunnel_port: int, api: Api, as_json: bool) -> None:
    """Give the tunnels of all hosts another UDP port, where that of VXLAN (4789) is somebody else's.

    For hosts that OVN, Neutron or Proxmox use as well. Best before hosts join: while each changes over, it hears
    only those that have changed too. Open the port in the underlay's filters first.

    \b
    Example:
      overlace underlay set --tunnel-port 14789
    """
    said = api.put(CONTROLLER, {"controller": {"tunnel_port": tunnel_port}})["controller"]
    if as_json:
        show_json({"tunnel_port": said["tunnel_port"]})
    else:
        click.echo(f"tunnels of all hosts use UDP port {said['tunnel_port']} from now on")


def _ask(api: Api, what: str, host: str | None) -> list[Object]:
    return api.collection(f"/v2.0/overlace/{what}", **({"host": host} if host else {}))


def _show(found: list[Object], columns: Sequence[str], as_json: bool) -> None:
    if as_json:
        show_json(found)
        return
    headings = [column.replace("_", " ") for column in columns]
    show_table(headings, [[each[column] for column in columns] for each in found])
