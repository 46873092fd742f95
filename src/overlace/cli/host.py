"""`overlace host`: hypervisors, and what an operator may ask of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from overlace.cli.api import Api, Object, api_options
from overlace.cli.collections import Collection, add_common_commands
from overlace.cli.evacuate import add_evacuation
from overlace.cli.failures import NotFound
from overlace.cli.join import Place, check_script, place_options
from overlace.cli.operations import SWITCHES, add_operations, tell_switch
from overlace.cli.pki_options import open_issuer, refusals
from overlace.terminal.options import json_option
from overlace.terminal.output import show_json


def _endpoints(value: list[Object]) -> str:
    return " ".join(each["address"] for each in sorted(value, key=lambda each: each["preference"]))


def _bridges(value: list[Object]) -> str:
    return " ".join(f"{each['physical_network']}={each['bridge']}" for each in value)


HOSTS = Collection(
    "host",
    "host",
    "/v2.0/overlace/hosts",
    ("id", "site_id", "endpoints", "observe_only", "projects", "description"),
    {
        "endpoints": _endpoints,
        "physical_networks": _bridges,
        "datapath_id": lambda value: f"{value:016x}" if value else None,
    },
)


@click.group()
def host() -> None:
    """Hypervisors. A host is added here, and joined by the script that `overlace join` prints.

    \b
    Examples:
      overlace site add tokyo
      overlace host add h1 --site tokyo --endpoint 192.0.2.11
      overlace host show h1
    """


_OPTIONS = (
    click.option(
        "--endpoint",
        "endpoints",
        multiple=True,
        metavar="ADDRESS",
        help="An underlay address at which it ends tunnels, the preferred one first; may be repeated.",
    ),
    click.option("--fabric-interface", help="The interface that leads to transit switches, if one does."),
    click.option(
        "--project",
        "projects",
        multiple=True,
        metavar="ID",
        help="Only these projects may use it; repeatable.",
    ),
    click.option(
        "--physical-network",
        "physical_networks",
        multiple=True,
        metavar="NAME=BRIDGE",
        help="It may bridge networks to this physical network, by a patch port into BRIDGE; repeatable.",
    ),
    click.option("--description"),
)


_JOINING = ("datapath", "openflow_port", "ovsdb_port", "enrolment_port", "tunnel_port")


def _options(command: Any) -> Any:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@host.command()
@click.argument("name")
@click.option("--site", help="The site where it stands.")
@click.option("--bridge", help="Its integration bridge.  [default: br-overlace]")
@_options
@click.option("--observe", is_flag=True, help="Begin in observe mode: show differences, write nothing.")
@click.option("--check", is_flag=True, help="Add nothing: print a script that looks whether it can join.")
@click.option("--controller", help="With --check: the controller's address as the host reaches it.")
@place_options
@api_options
@json_option
def add(
    name: str,
    site: str | None,
    bridge: str | None,
    observe: bool,
    check: bool,
    controller: str | None,
    pki: Path,
    plaintext: bool,
    api: Api,
    as_json: bool,
    **more: Any,
) -> None:
    """Add the host NAME; the script of `overlace join NAME` then brings it in.

    With --check a script is printed instead, to be run on the host before anything is set up. It tells what is there
    (bridges, managers, UDP ports, MTU, versions, clock), what joining would change, and what is in the way, with
    cause and cure; it changes nothing, and ends with status 1 where joining would be refused. --controller,
    --datapath, --tunnel-port, --pki, --plaintext and the ports are for --check, and mean what they mean to
    `overlace join`.

    \b
    Examples:
      overlace host add h1 --check --controller 192.0.2.1 --endpoint 192.0.2.11 | ssh h1 sh
      overlace host add h1 --site tokyo --endpoint 192.0.2.11
      overlace host add h2 --site tokyo --endpoint 2001:db8::12 --endpoint 192.0.2.12
      overlace host add h3 --site tokyo --endpoint 192.0.2.13 --project 7a6f0c... --observe
    """
    joining = {name: more.pop(name) for name in _JOINING}
    if check:
        if controller is None:
            raise click.UsageError("--check wants --controller: its address as the host reaches it")
        fabric = more["fabric_interface"] or ""
        place = Place(name, controller, bridge or "br-overlace", fabric_interface=fabric, **joining)
        mode = "json" if as_json else "report"
        click.echo(_check(place, more["endpoints"], None if plaintext else pki, mode), nl=False)
        return
    if site is None:
        raise click.UsageError("say where it stands: --site")
    body = {"id": name, "site_id": site, "bridge": bridge, "observe_only": observe or None, **_body(more)}
    HOSTS.add(api, {key: value for key, value in body.items() if value is not None}, as_json)


@host.command("set")
@click.argument("name")
@_options
@click.option("--any-project", is_flag=True, help="All projects may use it again.")
@click.option("--no-physical-network", is_flag=True, help="It bridges nothing any more.")
@api_options
@json_option
def set_(
    name: str, any_project: bool, no_physical_network: bool, api: Api, as_json: bool, **more: Any
) -> None:
    """Change the host NAME.

    \b
    Examples:
      overlace host set h1 --endpoint 192.0.2.21
      overlace host set h1 --any-project
      overlace host set h1 --physical-network rack7=br-ex
    """
    changes = _body(more)
    if no_physical_network:
        changes["physical_networks"] = []
    if any_project:
        changes["projects"] = []
    HOSTS.set(api, name, changes, as_json)


@host.command()
@click.argument("name")
@api_options
@json_option
def show(name: str, api: Api, as_json: bool) -> None:
    """Show the host NAME as it is declared, and how its switch is.

    \b
    Examples:
      overlace host show h1
      overlace host show h1 --json
    """
    declared = api.find(HOSTS.path, HOSTS.word, name)
    try:
        switch = api.get(f"{SWITCHES}/{declared['id']}")["switch"]
    except NotFound:
        switch = {}
    if as_json:
        show_json({**declared, "switch": switch})
        return
    resync = switch.get("last_resync") or {}
    seen = {
        "connected": switch.get("connected", False),
        "phase": switch.get("phase_means"),
        "hold": switch.get("hold"),
        "fault": switch.get("fault"),
        "database connected": switch.get("database"),
        "tunnel ports": switch.get("tunnel_ports"),
        "flows": switch.get("flows"),
        "last resync": {key: resync[key] for key in ("at", "added", "changed", "removed") if key in resync},
    }
    HOSTS.tell({**declared, **seen}, as_json=False)


@host.command()
@click.argument("name")
@click.option("--off", is_flag=True, help="Write to it again.")
@api_options
@json_option
def observe(name: str, off: bool, api: Api, as_json: bool) -> None:
    """Only observe the host NAME: its differences from the plan are shown, and nothing is written.

    \b
    Examples:
      overlace host observe h1
      overlace host observe h1 --off
    """
    found = api.find(HOSTS.path, HOSTS.word, name)
    changed = api.put(f"{HOSTS.path}/{found['id']}", {"host": {"observe_only": not off}})["host"]
    if as_json:
        show_json(changed)
        return
    click.echo(f"{name} is {'written to' if off else 'only observed'}")
    tell_switch(api.get(f"{SWITCHES}/{found['id']}")["switch"])


def _check(place: Place, endpoints: Sequence[str], pki: Path | None, mode: str) -> str:
    with refusals():
        trust = open_issuer(pki).directory.read().trust if pki is not None else ""
    return check_script(place, trust, endpoints, mode)


def _body(options: dict[str, Any]) -> Object:
    body: Object = {name: options[name] for name in ("description", "fabric_interface")}
    if options["endpoints"]:
        body["endpoints"] = [
            {"address": address, "preference": place} for place, address in enumerate(options["endpoints"])
        ]
    if options["physical_networks"]:
        pairs = [each.partition("=") for each in options["physical_networks"]]
        if wrong := next((each for each in pairs if not each[0] or not each[2]), None):
            raise click.UsageError(f"--physical-network wants NAME=BRIDGE, not {''.join(wrong)}")
        body["physical_networks"] = [{"physical_network": name, "bridge": to} for name, _, to in pairs]
    if options["projects"]:
        body["projects"] = list(options["projects"])
    return body


add_common_commands(host, HOSTS, show=False)
add_operations(host, HOSTS)
add_evacuation(host, "host")
