"""`overlace lab wan, cut, heal`: the wide-area network and broken cables."""

import click

from overlace.lab.lab import Lab
from overlace.lab.options import name_option
from overlace.lab.presentation import show_wan
from overlace.terminal.options import json_option
from overlace.terminal.output import show_json


@click.command()
@click.option("--delay", type=float, metavar="MS", help="One-way delay in milliseconds.")
@click.option("--rate", type=float, metavar="MBIT", help="Mbit/s in each direction; 0 is no limit.")
@click.option("--loss", type=float, metavar="PERCENT", help="Frames lost by chance, in percent.")
@click.option("--link", help="Only this link; default all wide-area links.")
@click.option("--from", "sender", help="Only the direction from this site or switch.")
@name_option
@json_option
def wan(
    delay: float | None,
    rate: float | None,
    loss: float | None,
    link: str | None,
    sender: str | None,
    name: str,
    as_json: bool,
) -> None:
    """Change the wide-area network while it runs, and show it.

    \b
    Examples:
      overlace lab wan
      overlace lab wan --delay 50 --loss 0.1 --rate 100
      overlace lab wan --delay 200 --from site-a
    """
    links = Lab.open(name).wan(link, delay_ms=delay, rate_mbit=rate, loss_pct=loss, sender=sender)
    if as_json:
        show_json(links)
    else:
        show_wan(links)


@click.command()
@click.argument("link")
@name_option
@json_option
def cut(link: str, name: str, as_json: bool) -> None:
    """Cut LINK: wan, uplink-HOST, mgmt-NODE or a link of the topology (see `overlace lab status`).

    \b
    Examples:
      overlace lab cut wan
      overlace lab cut uplink-h1
      overlace lab cut mgmt-h1
    """
    Lab.open(name).cut(link)
    _tell(link, True, as_json)


@click.command()
@click.argument("link")
@name_option
@json_option
def heal(link: str, name: str, as_json: bool) -> None:
    """Mend LINK after a cut.

    \b
    Example:
      overlace lab heal wan
    """
    Lab.open(name).heal(link)
    _tell(link, False, as_json)


def _tell(link: str, cut: bool, as_json: bool) -> None:
    if as_json:
        show_json({"link": link, "cut": cut})
    else:
        click.echo(f"{link} is {'cut' if cut else 'whole'}")
