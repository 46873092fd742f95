"""`overlace flows`: the installed flows that are there for one object."""

import click

from overlace.cli.api import Api, api_options
from overlace.terminal.options import json_option
from overlace.terminal.output import progress, show_json


@click.command()
@click.argument("name", metavar="PORT|NETWORK|GROUP|HOST")
@api_options
@json_option
def flows(name: str, api: Api, as_json: bool) -> None:
    """List the flows of an object on every switch, as they are installed, with their counters.

    \b
    Examples:
      overlace flows web
      overlace flows default --json
    """
    with progress("reading the switches"):
        found = api.get("/v2.0/overlace/flows", of=name)["flows"]
    if as_json:
        show_json(found)
        return
    if not found["switches"]:
        click.echo(f"no switch holds flows of {name}")
    for switch in found["switches"]:
        if switch.get("error"):
            click.echo(f"{switch['switch']}: {switch['error']}; {switch['wanted']} wanted")
            continue
        click.echo(f"{switch['switch']}: {len(switch['flows'])} flows, {switch['wanted']} wanted")
        for flow in switch["flows"]:
            click.echo(f"  {flow['table']:<16} {flow['packets']:>8} packets  {flow['text']}")
            click.echo(f"  {'':<16} {flow['flow']}")
