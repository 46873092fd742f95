"""`overlace observe`: the whole controller only looks, or writes again."""

import click

from overlace.cli.api import Api, api_options
from overlace.terminal.options import json_option
from overlace.terminal.output import show_json

CONTROLLER = "/v2.0/overlace/controller"


@click.command()
@click.option("--off", is_flag=True, help="Write to switches again.")
@api_options
@json_option
def observe(off: bool, api: Api, as_json: bool) -> None:
    """Write to no switch from now on: differences are computed and shown (`overlace diff`), traffic goes on.

    For an incident, and to rehearse. It holds until it is switched off, also over restarts; hosts that are observed by
    themselves (`overlace host observe`) stay so.

    \b
    Examples:
      overlace observe
      overlace observe --off
    """
    said = api.put(CONTROLLER, {"controller": {"observe_only": not off}})["controller"]
    if as_json:
        show_json(said)
    else:
        click.echo(
            "switches are written to" if off else "all switches are only observed: see `overlace diff`"
        )
