"""`overlace bootstrap`: the first administrator of a database."""

import asyncio
from pathlib import Path

import click

from overlace.app.failures import StartFailure
from overlace.cli.failures import Failure
from overlace.cli.passwords import read_password
from overlace.terminal.options import json_option
from overlace.terminal.output import show_json


@click.command()
@click.option(
    "--database",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("overlace.db"),
    show_default=True,
    envvar="OVERLACE_DATABASE",
    help="The controller's database; it is made when it is not there.",
)
@click.option("--user", default="admin", show_default=True, help="The administrator's name.")
@click.option("--project", default="admin", show_default=True, help="The administrator's project.")
@json_option
def bootstrap(database: Path, user: str, project: str, as_json: bool) -> None:
    """Make the first administrator, or set its password anew, while no controller runs.

    The password is asked for, or taken from standard input or OVERLACE_PASSWORD. Everyone else is made over the
    API, with `overlace user create`.

    \b
    Examples:
      overlace bootstrap --database /var/lib/overlace.db
      pass show overlace | overlace bootstrap --user root
    """
    from overlace.app.authentication import bootstrap_database  # loads the database's libraries

    password = read_password(f"user {user}")
    try:
        project_id = asyncio.run(bootstrap_database(database, password, user, project))
    except StartFailure as failure:
        raise Failure(str(failure)) from failure
    if as_json:
        show_json({"user": user, "project": project, "project_id": project_id})
    else:
        click.echo(f"user {user} is administrator of project {project}")
