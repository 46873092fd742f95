"""`overlace doctor`: what is wrong, what it comes from, and what to do about it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from overlace.cli.api import Api, Object, api_options
from overlace.cli.failures import Unreachable
from overlace.terminal.options import json_option
from overlace.terminal.output import progress, show_json

DOCTOR = "/v2.0/overlace/doctor"
CONFIGURATION = Path("/etc/overlace/overlace.yaml")
"""Where the Debian package has it."""
STATUS = {"warning": 10, "error": 20}
"""The exit status by the worst finding; nothing worse than a note is 0."""


@click.command()
@click.option("--probe", is_flag=True, help="Probe the ways between hosts anew before (up to 20 seconds).")
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The options of the controller, if it does not run.  [default: /etc/overlace/overlace.yaml, if it is there]",
)
@click.option(
    "--database",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Its database, if it does not run and has no such file.",
)
@api_options
@json_option
def doctor(probe: bool, config: Path | None, database: Path | None, api: Api, as_json: bool) -> None:
    """Look for everything that is wrong with the controller, its hosts and the ways between them.

    Each finding says what was seen, what it comes from and what to do; docs/doctor.md has them all. A controller
    that does not run is examined on its own machine by its files.

    Exit status: 0 nothing worse than a note, 10 warnings, 20 errors.

    \b
    Examples:
      overlace doctor
      overlace doctor --probe
      overlace doctor --json
      overlace doctor --config /etc/overlace/overlace.yaml
    """
    findings = _findings(api, probe=probe, config=config, database=database)
    if as_json:
        show_json(findings)
    else:
        tell(findings)
    status = max((STATUS.get(each["severity"], 0) for each in findings), default=0)
    click.get_current_context().exit(status)


def tell(findings: list[Object]) -> None:
    """For people."""
    for each in findings:
        click.echo(f"{each['severity']}: {each['seen']}  [{each['kind']}]")
        click.echo(f"    cause: {each['cause']}")
        click.echo(f"    cure:  {each['cure']}")
    if not findings:
        click.echo("nothing is wrong")


def _findings(api: Api, *, probe: bool, config: Path | None, database: Path | None) -> list[Object]:
    try:
        with progress("probing" if probe else "examining"):
            found: list[Object] = (api.post(DOCTOR) if probe else api.get(DOCTOR))["findings"]
        return found
    except Unreachable as reason:
        place = config or (CONFIGURATION if CONFIGURATION.is_file() and database is None else None)
        if place is None and database is None:
            raise Unreachable(
                f"{reason.message}; on its own machine, --config or --database let it be examined"
            ) from None
    return _offline(place, database)


def _offline(config: Path | None, database: Path | None) -> list[Object]:
    # The controller's libraries take a second to load, for which nobody else should wait.
    from overlace.app.doctor.offline import examine_offline
    from overlace.app.settings import ControllerSettings
    from overlace.cli.serve import serve

    options = [("--config", config), ("--database", database)]
    arguments = [word for name, path in options if path is not None for word in (name, str(path))]
    # As `overlace serve` would understand them, with its complaints.
    said: dict[str, Any] = dict(serve.make_context("serve", arguments).params)
    if said.pop("plaintext"):
        said["pki"] = None
    del said["log_level"], said["log_format"]
    settings = ControllerSettings(**said)
    return [each.as_object() for each in examine_offline(settings, datetime.now(UTC))]
