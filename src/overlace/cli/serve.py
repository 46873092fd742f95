"""`overlace serve`: the controller."""

import logging
from pathlib import Path

import click
import structlog
import uvloop

from overlace.app.controller import run
from overlace.app.settings import ControllerSettings
from overlace.cli.failures import Failure


@click.command()
@click.option("--database", type=click.Path(path_type=Path), default=Path("overlace.db"), show_default=True)
@click.option(
    "--api-address", default="127.0.0.1", show_default=True, help="Where clients connect (loopback)."
)
@click.option("--api-port", default=9696, show_default=True)
@click.option("--switch-address", default="127.0.0.1", show_default=True, help="Where hosts connect.")
@click.option("--openflow-port", default=6653, show_default=True)
@click.option("--ovsdb-port", default=6640, show_default=True)
@click.option("--audit-interval", default=60.0, show_default=True, help="Seconds between audits of a switch.")
@click.option("--verbose", is_flag=True, help="Log what is only of interest when something is wrong.")
def serve(verbose: bool, **options: object) -> None:
    """Run the controller until it is stopped. Switches go on forwarding without it."""
    level = logging.DEBUG if verbose else logging.INFO
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(level))
    settings = ControllerSettings(**options)  # type: ignore[arg-type]
    try:
        uvloop.run(run(settings))
    except OSError as error:
        raise Failure(f"cannot listen: {error}. Is another controller running?") from error
