"""How commands fail: a message that names cause and cure, and an exit status that programs can tell apart."""

from typing import IO, Any

import click
import msgspec


class Failure(click.ClickException):
    """A command that cannot do its work. With `--json` the message, too, is printed as JSON, on standard error."""

    kind = "failed"
    exit_code = 1

    def __init__(self, message: str) -> None:
        super().__init__(message)
        context = click.get_current_context(silent=True)
        self._as_json = context is not None and bool(context.params.get("as_json"))

    def show(self, file: IO[Any] | None = None) -> None:
        """Say it on standard error."""
        if not self._as_json:
            super().show(file)
            return
        error = {"error": {"kind": self.kind, "message": self.message}}
        click.echo(msgspec.json.encode(error).decode(), err=True, file=file)


class WrongUsage(Failure):
    """Options, variables or files contradict each other or lack something."""

    kind = "usage"
    exit_code = 2


class Unreachable(Failure):
    """The controller does not answer."""

    kind = "unreachable"
    exit_code = 3


class NotAllowed(Failure):
    """The controller does not know the caller, or the caller may not do this."""

    kind = "not_allowed"
    exit_code = 4


class NotFound(Failure):
    """There is no such thing."""

    kind = "not_found"
    exit_code = 5


class Conflict(Failure):
    """It would be right by itself, but not with what there is."""

    kind = "conflict"
    exit_code = 6
