"""`overlace backup` and `overlace restore`: the controller's files as one, and back."""

from pathlib import Path

import click

from overlace.app.failures import StartFailure
from overlace.cli.failures import Failure
from overlace.terminal.options import Decorated, json_option
from overlace.terminal.output import show_json

_FILE = click.Path(path_type=Path, dir_okay=False)


def _places(command: Decorated) -> Decorated:
    pki = click.option(
        "--pki", type=click.Path(path_type=Path), help="The certificate directory, if it is meant, too."
    )
    database = click.option(
        "--database",
        type=_FILE,
        default=Path("overlace.db"),
        show_default=True,
        envvar="OVERLACE_DATABASE",
        help="The controller's database (also from OVERLACE_DATABASE).",
    )
    return database(pki(command))


@click.command()
@click.argument("file", type=_FILE)
@_places
@json_option
def backup(file: Path, database: Path, pki: Path | None, as_json: bool) -> None:
    """Back the controller's database up into FILE, while it runs. With --pki the certificates, too.

    FILE is complete and checked, or not there. It holds password hashes and, with --pki, private keys: only its
    owner may read it.

    \b
    Examples:
      overlace backup /backup/overlace.tar --database /var/lib/overlace/db
      overlace backup /backup/overlace.tar --database /var/lib/overlace/db --pki /var/lib/overlace/pki
    """
    from overlace.app.archive import BackupError  # loads the database's libraries
    from overlace.app.backup import back_up
    from overlace.app.clock import SystemClock

    try:
        manifest = back_up(database, pki, file, SystemClock().now())
    except BackupError as error:
        raise Failure(f"{error}; nothing was written") from error
    shown = {"file": str(file), "at": manifest.at, "cluster": manifest.cluster, "revision": manifest.revision}
    if as_json:
        show_json({**shown, "members": sorted(manifest.digests)})
    else:
        click.echo(f"revision {manifest.revision} of cluster {manifest.cluster} is in {file}")


@click.command()
@click.argument("file", type=_FILE)
@_places
@json_option
def restore(file: Path, database: Path, pki: Path | None, as_json: bool) -> None:
    """Put the backup FILE in the place of the controller's database, while no controller runs.

    What was there is kept beside it. Hosts that know more than the backup are held when the controller starts, and
    go on as they are: `overlace diff` says what they have, `overlace recover` takes it back, `overlace adopt` goes on
    without it.

    \b
    Examples:
      overlace restore /backup/overlace.tar --database /var/lib/overlace/db
      overlace restore /backup/overlace.tar --database /var/lib/overlace/db --pki /var/lib/overlace/pki
    """
    from overlace.app import backup as work  # loads the database's libraries
    from overlace.app.archive import BackupError
    from overlace.app.clock import SystemClock

    try:
        manifest, kept = work.restore(file, database, pki, SystemClock().now())
    except BackupError as error:
        raise Failure(f"{error}; nothing was changed") from error
    except StartFailure as error:
        raise Failure(str(error)) from error
    if as_json:
        show_json({"at": manifest.at, "revision": manifest.revision, "kept": [str(each) for each in kept]})
        return
    click.echo(f"{database} is revision {manifest.revision} of {manifest.at} again")
    for each in kept:
        click.echo(f"kept: {each}")
    click.echo("start the controller, then: overlace diff")
