"""`overlace why`: what keeps a port from being ACTIVE, and what to do about it."""

import click

from overlace.cli.api import Api, Object, api_options
from overlace.cli.failures import NotFound
from overlace.terminal.options import json_option
from overlace.terminal.output import show_json

_KINDS = {"port": "/v2.0/ports", "network": "/v2.0/networks", "host": "/v2.0/overlace/hosts"}


@click.command()
@click.argument("name", metavar="PORT|NETWORK|HOST")
@click.option("--kind", type=click.Choice([*_KINDS]), help="What is meant, where several have the name.")
@api_options
@json_option
def why(name: str, kind: str | None, api: Api, as_json: bool) -> None:
    """Say why a port is not ACTIVE (or a network's ports, or a host not in sync), the nearest cause first.

    \b
    Examples:
      overlace why web
      overlace why red --kind network
      overlace why h1 --json
    """
    what, found = _find(api, name, kind)
    shown = api.get(f"/v2.0/overlace/{what}s/{found['id']}/realisation")["realisation"]
    if as_json:
        show_json({"kind": what, "id": found["id"], **shown})
        return
    click.echo(f"{what} {found.get('name') or found['id']} is {shown['status']}{_counts(shown)}")
    for reason in shown["reasons"]:
        click.echo(f"{'-' if reason['blocking'] else '  (also)'} {reason['text']}")
        if reason["cure"]:
            click.echo(f"    cure: {reason['cure']}")
    if not shown["reasons"]:
        click.echo("nothing is in its way")


def _find(api: Api, name: str, kind: str | None) -> tuple[str, Object]:
    """The first kind that has one of this id or name. Raises NotFound with what the last one suggests."""
    for each in [kind] if kind else [*_KINDS]:
        try:
            return each, api.find(_KINDS[each], each, name)
        except NotFound:
            if kind:
                raise
    raise NotFound(f"there is no port, network or host {name}")


def _counts(shown: Object) -> str:
    ports = shown.get("ports")
    if not ports:
        return ""
    return "; its ports: " + ", ".join(f"{count} {status}" for status, count in sorted(ports.items()))
