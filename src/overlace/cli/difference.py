"""`overlace diff`, `adopt` and `recover`: what a switch holds beside its plan, and what to do about it."""

from typing import Any

import click

from overlace.cli.api import Api, Object, api_options
from overlace.cli.operations import SWITCHES, tell_switch
from overlace.terminal.options import json_option
from overlace.terminal.output import progress, show_json, show_table

_WORDS = {"missing": "to be added", "changed": "to be changed", "foreign": "to be removed"}
_VERSIONS = (
    "its flows are of pipeline version {pipeline_version}, this release's of {wanted_pipeline_version}: "
    "they are replaced in one atomic bundle"
)


@click.command()
@click.argument("name", required=False)
@click.option("--flows", "with_flows", is_flag=True, help="Show every flow, not only what it is there for.")
@api_options
@json_option
def diff(name: str | None, with_flows: bool, api: Api, as_json: bool) -> None:
    """Show what would be written to the host or transit switch NAME (or to all) now. Nothing is.

    The switch is read for it. A switch in sync differs in nothing; one that is only observed or on hold is left
    as it is until that is over.

    \b
    Examples:
      overlace diff
      overlace diff h1 --flows
      overlace diff h1 --json
    """
    if name is not None:
        found = difference(api, name)
        show_json(found) if as_json else _tell(found, with_flows)
        return
    switches = api.get(SWITCHES)["switches"]
    all_found = [difference(api, each["name"]) for each in switches if each["connected"]]
    if as_json:
        show_json(all_found)
        return
    columns = ("switch", "phase", *_WORDS.values(), "tunnel ports", "ports not known here")
    show_table(columns, [_row(each) for each in all_found])
    for each in switches:
        if not each["connected"]:
            click.echo(f"{each['name']}: not connected, so it cannot be compared")


@click.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@api_options
@json_option
def adopt(name: str, yes: bool, api: Api, as_json: bool) -> None:
    """Take the host or transit switch NAME over, though another state of this database, or another, wrote it last.

    The controller holds such a switch and writes nothing to it, since its own database may be an old copy. First it is
    said what the switch loses; ports that only the host knows can be taken into the database before: see `overlace
    recover`.

    \b
    Examples:
      overlace adopt h1
      overlace adopt h1 --yes --json
    """
    found = difference(api, name)
    if not as_json:
        _tell(found, with_flows=False)
    if not yes:
        click.confirm(f"write the plan to {name}?", abort=True, err=True)
    shown = api.post(f"{SWITCHES}/{name}/adopt")["switch"]
    show_json(shown) if as_json else tell_switch(shown)


@click.command()
@click.argument("host")
@click.argument("port", required=False)
@click.option("--all", "everything", is_flag=True, help="All that can be recovered.")
@click.option("--network", metavar="ID", help="The network, where it is not known which one it was.")
@click.option("--name", help="A name for the port.")
@api_options
@json_option
def recover(
    host: str,
    port: str | None,
    everything: bool,
    network: str | None,
    name: str | None,
    api: Api,
    as_json: bool,
) -> None:
    """Take ports into the database that HOST serves and the database does not know; without PORT, list them.

    After a database was restored these are the ports that are newer than the backup. A port keeps its id, MAC
    address and addresses; names, security groups and what else the backup lacks have to be set anew.

    \b
    Examples:
      overlace recover h1
      overlace recover h1 1d0ad52b-18b2-4b92-b827-bcbf212c37ef --name web
      overlace recover h1 --all
    """
    found = difference(api, host)
    unknown: list[Object] = found["unknown_ports"]
    if port is None and not everything:
        show_json(unknown) if as_json else _tell_unknown(found)
        return
    wanted = [each["id"] for each in unknown if each.get("mac_address")] if everything else [port]
    body: dict[str, Any] = {"network_id": network, "name": name}
    given = {key: value for key, value in body.items() if value}
    made = [_recover(api, host, {"id": each, **given}) for each in wanted]
    if as_json:
        show_json(made)
        return
    for each in made:
        click.echo(f"port {each['id']} is known again, with {_addresses(each)}")
    if not made:
        click.echo(f"there is nothing to recover from {host}")


def difference(api: Api, name: str) -> Object:
    """What a switch holds beside its plan."""
    with progress(f"comparing {name}"):
        found: Object = api.get(f"{SWITCHES}/{name}/difference")["difference"]
    return found


def _recover(api: Api, host: str, port: Object) -> Object:
    made: Object = api.post(f"{SWITCHES}/{host}/recovered-ports", {"port": port})["port"]
    return made


def _row(found: Object) -> tuple[object, ...]:
    tunnel_ports = sum(map(len, found["tunnel_ports"].values()))
    flows = [found[what] for what in _WORDS]
    return (
        found["name"],
        found["phase"].replace("_", " "),
        *flows,
        tunnel_ports,
        len(found["unknown_ports"]),
    )


def _tell(found: Object, with_flows: bool) -> None:
    counts = ", ".join(f"{found[what]} {text}" for what, text in _WORDS.items())
    click.echo(f"{found['name']}: {found['phase_means']}; {found['observed']} flows, {counts}")
    if found["hold"]:
        click.echo(f"  {found['hold']}")
    if _of_another_version(found):
        click.echo(f"  {_VERSIONS.format(**found)}")
    for each in found["objects"]:
        click.echo(f"  {_WORDS[each['what']]}: {each['object']}, {each['flows']} flows")
    if with_flows:
        for each in found["flows"]:
            click.echo(f"    {_WORDS[each['what']]}: {each['flow']}")
    for what, text in _WORDS.items():
        for port in found["tunnel_ports"][what]:
            click.echo(f"  {text}: tunnel port {port}")
    for kind in ("groups", "meters"):
        if found[kind]:
            click.echo(f"  {found[kind]} {kind} differ")
    if not found["settled"]:
        click.echo("  the plan changed meanwhile: ask again")
    if found["unknown_ports"]:
        _tell_unknown(found)


def _of_another_version(found: Object) -> bool:
    return found["pipeline_version"] not in (None, found["wanted_pipeline_version"])


def _tell_unknown(found: Object) -> None:
    host, unknown = found["name"], found["unknown_ports"]
    if not unknown:
        click.echo(f"{host} serves no port that the database does not know")
        return
    served = [each for each in unknown if each["served"]]
    click.echo(f"{len(served)} ports are served by {host} and not known to the database:")
    for each in served:
        network = each["network"] or f"unknown (wire identifier {each['segmentation_id']})"
        click.echo(f"  {each['id']} at {each['interface']}: {_addresses(each)}, network {network}")
    others = len(unknown) - len(served)
    if others and _of_another_version(found):
        click.echo(
            f"  {others} interfaces announce more; from flows of another pipeline version no port is read back"
        )
    elif others:
        click.echo(f"  {others} more interfaces announce ports that are served by nobody")


def _addresses(port: Object) -> str:
    ips = [each if isinstance(each, str) else each["ip_address"] for each in port["fixed_ips"]]
    return " ".join([port["mac_address"] or "any MAC address", *ips])
