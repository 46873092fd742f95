"""A backup as one file: a tar archive of the database, the certificate directory if asked for, and a manifest.

The manifest has the digest of every member; an archive is only taken for good when all of them fit and SQLite finds
nothing wrong with the database.
"""

import hashlib
import io
import os
import sqlite3
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

DATABASE = "overlace.db"
MANIFEST = "manifest.json"
PKI = "pki/"


class BackupError(Exception):
    """A backup that cannot be made, or is none; the message says why."""


class Manifest(msgspec.Struct, frozen=True):
    """What is in an archive. `at` is a time in UTC (RFC 3339), `digests` are SHA-256 by member."""

    release: str
    at: str
    cluster: str
    epoch: int
    revision: int
    digests: dict[str, str]


@dataclass(frozen=True, slots=True)
class Identity:
    """Which state of which database it is."""

    cluster: str
    epoch: int
    revision: int


def copy_database(source: Path, target: Path) -> None:
    """A consistent copy by SQLite's online backup, while others write. Raises BackupError."""
    try:
        with (
            closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as there,
            closing(sqlite3.connect(target)) as here,
        ):
            there.backup(here)
            here.execute("pragma journal_mode=delete")
    except sqlite3.Error as error:
        raise BackupError(f"{source} cannot be copied: {error}") from error


def identify(database: Path) -> Identity:
    """Check the whole of a database, and say which it is. Raises BackupError."""
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            found = connection.execute("pragma integrity_check").fetchone()[0]
            if found != "ok":
                raise BackupError(f"the database is damaged: {found}")
            meta = dict(connection.execute("select name, value from meta").fetchall())
            return Identity(meta["cluster"], int(meta["epoch"]), int(meta["number"]))
    except (sqlite3.Error, KeyError) as error:
        raise BackupError(f"it is no database of Overlace that was in use: {error}") from error


def write_archive(target: Path, manifest: Manifest, members: Mapping[str, bytes]) -> None:
    """Write the file beside and rename it, so that there is a whole one or none. Raises BackupError."""
    building = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        descriptor = os.open(building, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            with tarfile.open(fileobj=file, mode="w") as archive:
                for name, data in {MANIFEST: msgspec.json.encode(manifest), **members}.items():
                    entry = tarfile.TarInfo(name)
                    entry.size, entry.mode = len(data), 0o600
                    archive.addfile(entry, io.BytesIO(data))
            file.flush()
            os.fsync(file.fileno())
        read_archive(building)
        building.replace(target)
        synchronise(target.parent)
    except OSError as error:
        raise BackupError(f"{target} cannot be written: {error.strerror}") from error
    finally:
        building.unlink(missing_ok=True)


def read_archive(path: Path) -> tuple[Manifest, dict[str, bytes]]:
    """The members by name, checked against the manifest and for their names. Raises BackupError."""
    try:
        with tarfile.open(path, "r:") as archive:
            members = {each.name: _content(archive, each) for each in archive.getmembers()}
        manifest = msgspec.json.decode(members.pop(MANIFEST), type=Manifest)
    except (OSError, tarfile.TarError, KeyError, msgspec.MsgspecError) as error:
        raise BackupError(f"{path} is no backup of Overlace: {error}") from error
    for name, data in members.items():
        if not _is_known(name) or manifest.digests.get(name) != digest(data):
            raise BackupError(f"{path} is damaged: {name} is not what was put in")
    if members.keys() != manifest.digests.keys() or DATABASE not in members:
        raise BackupError(f"{path} is damaged: it lacks {sorted(manifest.digests.keys() - members.keys())}")
    with unpacked(members[DATABASE]) as database:
        identify(database)
    return manifest, members


@contextmanager
def unpacked(data: bytes) -> Iterator[Path]:
    """A database of these bytes, for as long as it is looked at."""
    with TemporaryDirectory(prefix="overlace-") as directory:
        database = Path(directory) / DATABASE
        database.write_bytes(data)
        yield database


def digest(data: bytes) -> str:
    """SHA-256 in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def synchronise(directory: Path) -> None:
    """Make a renaming durable. Raises OSError."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _content(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(entry) if entry.isreg() else None
    if file is None:
        raise tarfile.TarError(f"{entry.name} is no file")
    return file.read()


def _is_known(name: str) -> bool:
    """Nothing in an archive may say where else it wants to be."""
    inner = name.removeprefix(PKI)
    return name == DATABASE or (name != inner and "/" not in inner and inner not in ("", ".", ".."))
