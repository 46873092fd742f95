"""`overlace status`: the controller and its switches."""

import click

from overlace.cli.api import Api, api_options
from overlace.terminal.options import json_option
from overlace.terminal.output import show_json, show_record, show_table


@click.command()
@api_options
@json_option
def status(api: Api, as_json: bool) -> None:
    """Show the controller: its revision, and how far every switch is.

    \b
    Examples:
      overlace status
      overlace status --os-cloud mine --json
    """
    shown = api.get("/v2.0/overlace/status")["status"]
    if as_json:
        show_json(shown)
        return
    show_record({"controller": api.url, "revision": shown["revision"]})
    rows = [
        (name, each["connected"], each["acknowledged"], each.get("fault"))
        for name, each in shown["switches"].items()
    ]
    show_table(("switch", "connected", "acknowledged", "fault"), rows)
