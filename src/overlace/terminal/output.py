"""What commands print: JSON for programs, tables for people, progress on a terminal."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import click
import msgspec
from rich import box
from rich.console import Console
from rich.table import Table

PIPE_WIDTH = 240
NOTHING = "-"

Progress = Callable[[str], None]
"""Called with what is being done just now."""


def silent(message: str) -> None:
    """Progress that nobody wants to see."""
    del message


def show_json(value: object) -> None:
    """Print a value as indented JSON."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def show_table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows below headings."""
    table = Table(*headings, box=box.SIMPLE_HEAD, pad_edge=False)
    _print(table, rows)


def show_record(fields: Mapping[str, object]) -> None:
    """Print one object, a field a line."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold")
    table.add_column()
    _print(table, list(fields.items()))


def cell(value: object) -> str:
    """A value as a table shows it: lists with spaces between, `-` for nothing, yes and no."""
    match value:
        case bool():
            return "yes" if value else "no"
        case None | "":
            return NOTHING
        case dict() | list() | tuple() if not value:
            return NOTHING
        case dict():
            return " ".join(f"{key}={cell(each)}" for key, each in value.items())
        case list() | tuple():
            return " ".join(cell(each) for each in value)
        case _:
            return str(value)


@contextmanager
def progress(what: str) -> Iterator[Progress]:
    """A line on standard error that tells what is going on; silent when that is not a terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status(what) as status:
        yield lambda message: status.update(f"{what}: {message}")


def _print(table: Table, rows: Sequence[Sequence[object]]) -> None:
    for row in rows:
        # What users called their things must not be taken for rich's markup.
        table.add_row(*(cell(each).replace("[", r"\[") for each in row))
    # Into a pipe, every column keeps its full width.
    Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH).print(table)
