"""`overlace pki rollover`: from one certificate authority to the next, with nobody cut off in between."""

from pathlib import Path

import click

from overlace.cli.pki_options import open_issuer, pki_option, refusals
from overlace.terminal.options import json_option
from overlace.terminal.output import show_json


@click.group()
def rollover() -> None:
    """Change to a new certificate authority while everything stays connected.

    \b
    1. overlace pki rollover begin          both authorities are trusted, the new one signs
    2. overlace pki renew NAME | ssh NAME sh     for each host and switch
    3. overlace pki rollover finish         the old authority is trusted no more, its key is destroyed
    """


@rollover.command()
@pki_option
@json_option
def begin(pki: Path, as_json: bool) -> None:
    """Make a second authority, trusted beside the first, which signs from now on.

    \b
    Example:
      overlace pki rollover begin
    """
    with refusals():
        issuer = open_issuer(pki)
        number = issuer.begin_rollover()
        remainder = issuer.rollover_remainder()
    if as_json:
        show_json({"authority": number, "remaining": remainder})
    else:
        click.echo(f"authority {number} signs from now on; to be renewed: {', '.join(remainder) or 'nobody'}")


@rollover.command()
@pki_option
@json_option
def status(pki: Path, as_json: bool) -> None:
    """Show who still has to be renewed.

    \b
    Example:
      overlace pki rollover status
    """
    with refusals():
        issuer = open_issuer(pki)
        authorities = [each.number for each in issuer.directory.read().authorities]
        remainder = issuer.rollover_remainder()
    if as_json:
        show_json({"authorities": authorities, "remaining": remainder})
    elif len(authorities) == 1:
        click.echo(f"no rollover is under way; authority {authorities[0]} signs")
    else:
        click.echo(
            f"from authority {authorities[0]} to {authorities[1]}; to be renewed: {', '.join(remainder) or 'nobody'}"
        )


@rollover.command()
@pki_option
@click.option("--cut-off", is_flag=True, help="Finish although some would be refused from then on.")
@json_option
def finish(pki: Path, cut_off: bool, as_json: bool) -> None:
    """Trust the new authority alone, and destroy the key of the old one.

    \b
    Example:
      overlace pki rollover finish
    """
    with refusals():
        retired = open_issuer(pki).finish_rollover(cut_off=cut_off)
    if as_json:
        show_json({"retired": retired})
    else:
        click.echo(f"retired authority {retired}")
