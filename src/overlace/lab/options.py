"""What the commands of the laboratory have in common: its name, and errors told without a traceback."""

from typing import Any

import click

from overlace.lab.errors import LabError
from overlace.terminal.options import Decorated


class LabGroup(click.Group):
    """A group of commands whose `LabError`s become messages with exit status 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except LabError as error:
            raise click.ClickException(str(error)) from error


def name_option(command: Decorated) -> Decorated:
    """--name of the laboratory, `default` without it."""
    return click.option(
        "--name",
        "name",
        default="default",
        show_default=True,
        envvar="OVERLACE_LAB",
        metavar="NAME",
        help="The laboratory's name (also from OVERLACE_LAB); several can run side by side.",
    )(command)
