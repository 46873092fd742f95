"""What the commands that work on a certificate directory have in common."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import click

from overlace.app.clock import SystemClock
from overlace.cli.failures import Failure
from overlace.pki.errors import PkiError
from overlace.pki.issuer import Issuer
from overlace.pki.subject import Role, Subject
from overlace.terminal.options import Decorated


def pki_option(command: Decorated) -> Decorated:
    """--pki, the certificate directory."""
    return click.option(
        "--pki",
        type=click.Path(path_type=Path),
        default=Path("overlace-pki"),
        show_default=True,
        envvar="OVERLACE_PKI",
        help="The certificate directory (also from OVERLACE_PKI).",
    )(command)


@contextmanager
def refusals() -> Iterator[None]:
    """Certificates that cannot be had become messages."""
    try:
        yield
    except PkiError as error:
        raise Failure(str(error)) from error


def open_issuer(path: Path) -> Issuer:
    """The issuer of a directory. Raises PkiError."""
    return Issuer.open(path, SystemClock())


def subject_of(name: str, *, switch: bool = False) -> Subject:
    """``host:h1``, ``switch:t1``, or a bare name, which is a host's unless `switch`. Raises PkiError."""
    if ":" in name:
        return Subject.parse(name)
    return Subject(Role.SWITCH if switch else Role.HOST, name)


_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LONGEST = 100 * 365 * 86400


def _duration(ctx: click.Context, param: click.Parameter, value: str) -> timedelta:
    """A number with a unit, up to a hundred years."""
    number, unit = value[:-1], value[-1:]
    if number.isdecimal() and unit in _UNITS and 0 < int(number) * _UNITS[unit] <= _LONGEST:
        return timedelta(seconds=int(number) * _UNITS[unit])
    raise click.BadParameter(f"{value!r} is not a duration such as 90s, 30m, 12h or 365d", ctx, param)


def valid_for_option(default: str, what: str) -> Callable[[Decorated], Decorated]:
    """--valid-for, with what it is that ends."""

    def decorate(command: Decorated) -> Decorated:
        return click.option(
            "--valid-for", callback=_duration, default=default, show_default=True, metavar="TIME", help=what
        )(command)

    return decorate
