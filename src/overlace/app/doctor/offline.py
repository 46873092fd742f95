"""What can be known of a controller that does not answer, on its own machine: would it start, and if not, why?

Nothing is changed: the database is not opened, the certificate directory is only read.
"""

import errno
import fcntl
import os
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

from overlace.app.doctor.finding import Finding, error
from overlace.app.doctor.machine import FULL
from overlace.app.failures import StartFailure
from overlace.app.settings import ControllerSettings, check_settings
from overlace.pki.directory import PkiDirectory
from overlace.pki.errors import PkiError
from overlace.pki.expiry import Validity, expiries


def examine_offline(settings: ControllerSettings, now: datetime) -> list[Finding]:
    """Everything that would keep a controller with these settings from serving, or its hosts from it."""
    holder = _holder(settings.database)
    found = [*_settings(settings), *_database(settings.database, holder), *_certificates(settings, now)]
    if holder is None:
        found += _ports(settings)
    return sorted(dict.fromkeys(found), key=lambda finding: -finding.severity)


def _settings(settings: ControllerSettings) -> Iterator[Finding]:
    try:
        check_settings(settings)
    except StartFailure as failure:
        seen, _, cure = str(failure).partition(": ")
        yield error(
            "settings_refused", "controller", seen, "the controller does not start with these settings", cure
        )


def _holder(database: Path) -> str | None:
    """The process that has the database, as its number; None when nobody has it."""
    try:
        descriptor = os.open(database.with_name(database.name + ".lock"), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.pread(descriptor, 20, 0).decode(errors="replace").strip() or "?"
    finally:
        os.close(descriptor)
    return None


def _database(database: Path, holder: str | None) -> Iterator[Finding]:
    if holder is not None:
        yield error(
            "controller_silent",
            "controller",
            f"process {holder} has the database {database}, and its API does not answer where it was asked",
            "it is starting, hangs, or serves at another address",
            f"look at its log (journalctl -u overlace); --api-url says where to ask; else: kill {holder}",
        )
    else:
        yield error(
            "controller_down",
            "controller",
            f"no process has the database {database}",
            "the controller does not run; switches go on forwarding as they are",
            "systemctl start overlace; its last log line says why it ended",
        )
    if not database.parent.is_dir():
        cure = "make it, or name another --database"
        yield error(
            "database_lost", str(database), f"there is no directory {database.parent}", "it was moved", cure
        )
        return
    room = os.statvfs(database.parent)
    if (free := room.f_bavail * room.f_frsize) < FULL:
        seen = f"{free >> 20} MiB are left beside {database}"
        yield error(
            "disk_full", str(database), seen, "the disk is full", "make room, then start the controller"
        )
    if not database.exists():
        seen = f"there is no database {database}"
        cure = "overlace restore BACKUP; a start without it begins with an empty one, which holds all hosts"
        yield error(
            "database_lost", str(database), seen, "a new controller, a wrong --database, or a lost disk", cure
        )
        return
    yield from _damage(database)


def _damage(database: Path) -> Iterator[Finding]:
    wanted = ("not a database", "malformed", "unable to open", "attempt to write", "disk I/O")
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=1)) as connection:
            connection.execute("select count(*) from sqlite_master").fetchone()
    except sqlite3.Error as reason:
        if any(word in str(reason) for word in wanted):
            yield error(
                "database_unusable",
                str(database),
                f"{database} cannot be read: {reason}",
                "it is damaged, is no database of Overlace, or belongs to another user",
                "give it to the controller's user, or: overlace restore BACKUP",
            )


def _certificates(settings: ControllerSettings, now: datetime) -> Iterator[Finding]:
    if settings.pki is None or not os.path.lexists(settings.pki):
        return
    try:
        register = PkiDirectory.open(settings.pki).read()
    except PkiError as reason:
        seen, _, cure = str(reason).partition("; ")
        cause = "a file was changed, lost, or belongs to another user now"
        yield error(
            "certificates_unreadable", str(settings.pki), seen, cause, cure or "see docs/certificates.md"
        )
        return
    for each in expiries(register, now):
        if each.validity in (Validity.EXPIRED, Validity.NOT_YET):
            kind = "certificate_expired" if each.validity is Validity.EXPIRED else "certificate_not_yet"
            seen, _, cure = str(each.notice).partition("; cure with: ")
            cause = "it was not renewed in time, or the clock of this machine is wrong"
            yield error(kind, each.subject, seen, cause, cure or "set the clock right")


def _ports(settings: ControllerSettings) -> Iterator[Finding]:
    """Whether each could be listened on."""
    switch = settings.switch_address
    wanted = [
        ("api-port", settings.api_address, settings.api_port),
        ("openflow-port", switch, settings.openflow_port),
        ("ovsdb-port", switch, settings.ovsdb_port),
    ]
    if settings.pki is not None:
        wanted.append(("enrolment-port", switch, settings.enrolment_port))
    for option, address, port in wanted:
        failure = _listening_fails(address, port)
        if failure == errno.EADDRINUSE:
            yield error(
                "port_taken",
                "controller",
                f"TCP port {port} of {address or 'this machine'} is taken",
                "another process listens there: a second controller, or another service",
                f"ss -ltnp 'sport = :{port}' names it; stop it, or choose another --{option}",
            )
        elif failure == errno.EADDRNOTAVAIL:
            yield error(
                "address_lost",
                "controller",
                f"this machine does not have the address {address}",
                "its network is not up yet, or the address has moved",
                "ip address; or change --api-address and --switch-address",
            )


def _listening_fails(address: str, port: int) -> int | None:
    try:
        found = socket.getaddrinfo(address or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, _, _, _, place in found:
            with socket.socket(family, socket.SOCK_STREAM) as trial:
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                trial.bind(place)
                trial.listen(1)
    except OSError as failure:
        return failure.errno
    return None
