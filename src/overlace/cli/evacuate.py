"""`overlace host evacuate` and `overlace site evacuate`."""

import click

from overlace.cli.api import Api, api_options
from overlace.cli.machine import begin, move_options
from overlace.terminal.options import json_option


def add_evacuation(group: click.Group, word: str) -> None:
    """Give the group of hosts or sites its evacuation."""
    group.add_command(_evacuation(word))


def _evacuation(word: str) -> click.Command:
    @click.argument("name")
    @click.option("--to", "to_host", metavar="HOST", help="Everything to this host.")
    @click.option("--to-site", metavar="SITE", help="Everything to this site.  [default: any other host]")
    @move_options
    @api_options
    @json_option
    def evacuate(
        name: str,
        to_host: str | None,
        to_site: str | None,
        mode: str,
        bandwidth: int | None,
        timeout: int,
        verify: bool,
        dry_run: bool,
        no_wait: bool,
        api: Api,
        as_json: bool,
    ) -> None:
        if to_host and to_site:
            raise click.UsageError("say --to HOST or --to-site SITE, not both")
        wish = {"kind": "evacuation", f"from_{word}": name, "mode": mode, "timeout": timeout}
        wish |= {"to_host": to_host} if to_host else {}
        wish |= {"to_site": to_site} if to_site else {}
        begin(api, wish | {"verify": verify}, bandwidth, dry_run, no_wait, as_json)

    text = (
        f"Move every machine of the {word} NAME elsewhere, so many at a time as the controller's limits say.\n\n"
        "Each goes to the host with the fewest machines that may take it; members of a project move its machines "
        "only, from a site to a site.\n\n"
        f"\b\nExamples:\n  overlace {word} evacuate NAME --dry-run\n"
        f"  overlace {word} evacuate NAME --to-site osaka\n"
    )
    return click.command("evacuate", help=text)(evacuate)
