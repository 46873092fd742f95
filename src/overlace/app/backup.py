"""Back up a controller's files while it runs, and put them back while it does not."""

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy.exc import SQLAlchemyError

from overlace import __version__
from overlace.app.archive import (
    DATABASE,
    PKI,
    BackupError,
    Manifest,
    copy_database,
    digest,
    identify,
    read_archive,
    synchronise,
    write_archive,
)
from overlace.app.database import held
from overlace.pki.directory import PkiDirectory
from overlace.pki.errors import PkiError
from overlace.store.engine import create_store_engine
from overlace.store.restored import leave_room


def back_up(database: Path, pki: Path | None, target: Path, now: datetime) -> Manifest:
    """Write the archive `target`. The controller may run. Raises BackupError."""
    if not database.is_file():
        raise BackupError(f"there is no database {database}: name it with --database")
    members = {DATABASE: b""}
    with TemporaryDirectory(prefix="overlace-") as directory:
        copy = Path(directory) / DATABASE
        copy_database(database, copy)
        state = identify(copy)
        members[DATABASE] = copy.read_bytes()
    if pki is not None:
        members |= _certificates(pki)
    digests = {name: digest(data) for name, data in members.items()}
    at = now.isoformat(timespec="seconds")
    manifest = Manifest(__version__, at, state.cluster, state.epoch, state.revision, digests)
    write_archive(target, manifest, members)
    return manifest


def restore(source: Path, database: Path, pki: Path | None, now: datetime) -> tuple[Manifest, list[Path]]:
    """Put an archive in the place of `database` (and `pki`); what was there is kept beside, and returned.

    Raises BackupError, and StartFailure while a controller has the database.
    """
    manifest, members = read_archive(source)
    certificates = {name.removeprefix(PKI): data for name, data in members.items() if name != DATABASE}
    if pki is not None and not certificates:
        raise BackupError(f"{source} has no certificates: leave --pki out, and keep the present ones")
    suffix = f".before-{now:%Y%m%dT%H%M%SZ}"
    kept: list[Path] = []
    with held(database):
        building = _building(database)
        try:
            building.write_bytes(members[DATABASE])
            building.chmod(0o600)
            _leave_room(building)
            new_pki = _build_pki(pki, certificates) if pki is not None else None
            kept += _set_aside(database, suffix)
            building.replace(database)
            synchronise(database.parent)
            if pki is not None and new_pki is not None:
                kept += _rename_away(pki, suffix)
                new_pki.rename(pki)
                synchronise(pki.absolute().parent)
        except OSError as error:
            raise BackupError(f"{error.filename} cannot be written: {error.strerror}") from error
        finally:
            building.unlink(missing_ok=True)
    return manifest, kept


def _certificates(pki: Path) -> dict[str, bytes]:
    try:
        with PkiDirectory.open(pki).locked():
            files = [each for each in pki.iterdir() if each.is_file() and each.name != "lock"]
            return {f"{PKI}{each.name}": each.read_bytes() for each in files if not each.name.startswith(".")}
    except (PkiError, OSError) as error:
        raise BackupError(f"the certificate directory {pki} cannot be read: {error}") from error


def _leave_room(database: Path) -> None:
    engine = create_store_engine(database)
    try:
        leave_room(engine)
    except SQLAlchemyError as error:
        raise BackupError(f"the database of the backup cannot be used: {error}") from error
    finally:
        engine.dispose()  # and so its log goes into the file


def _build_pki(pki: Path, files: dict[str, bytes]) -> Path:
    building = _building(pki)
    building.mkdir(mode=0o700)
    for name, data in files.items():
        file = building / name
        file.touch(mode=0o600)
        file.write_bytes(data)
    return building


def _building(path: Path) -> Path:
    return path.absolute().with_name(f".{path.name}.{os.getpid()}")


def _set_aside(database: Path, suffix: str) -> Iterator[Path]:
    """SQLite finds the log of a database by its name, so the three go together."""
    for tail in ("", "-wal", "-shm"):
        part = database.with_name(database.name + tail)
        if part.exists():
            kept = database.with_name(database.name + suffix + tail)
            part.rename(kept)
            yield kept


def _rename_away(path: Path, suffix: str) -> Iterator[Path]:
    if path.exists():
        kept = path.with_name(path.name + suffix)
        path.rename(kept)
        yield kept
