"""The database of one controller: opened with plain words when it cannot be, and held by one process only."""

import fcntl
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from overlace.app.failures import StartFailure
from overlace.kit.clock import Clock
from overlace.store.store import Store


@asynccontextmanager
async def open_database(path: Path, clock: Clock, origin: str) -> AsyncIterator[Store]:
    """The store at `path`, for this process alone. Raises StartFailure."""
    with held(path):
        store = await _open(path, clock, origin)
        try:
            yield store
        finally:
            await store.close()


async def _open(path: Path, clock: Clock, origin: str) -> Store:
    try:
        return await Store.open(path, clock, origin)
    except SQLAlchemyError as error:
        reason = getattr(error, "orig", None) or error
        raise StartFailure(
            f"the database {path} cannot be used ({reason}): is it a database of Overlace, may this user write "
            "to it and to its directory? A copy of an earlier day, or another --database, will do"
        ) from error
    except RuntimeError as error:
        message = f"{path}: {error}. Start the release that wrote it, or name another --database"
        raise StartFailure(message) from error


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Let no other process have the database; the system lets go of it whatever becomes of this one.

    Raises StartFailure when another has it.
    """
    place = path.with_name(path.name + ".lock")
    try:
        descriptor = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        cure = "make the directory, or name another --database"
        raise StartFailure(f"{place} cannot be written ({error.strerror}): {cure}") from error
    try:
        _lock(descriptor, path)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip() or "?"
        message = (
            f"another process (pid {holder}) has the database {path}: stop it, or name another --database"
        )
        raise StartFailure(message) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
