"""Groups of commands over one collection of the API: what list, show and remove have in common."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import click

from overlace.cli.api import Api, Object, api_options
from overlace.terminal.options import json_option
from overlace.terminal.output import show_json, show_record, show_table


@dataclass(frozen=True, slots=True)
class Collection:
    """`word` is what people call one of its objects, `kind` what the API does; `columns` are those of the list."""

    word: str
    kind: str
    path: str
    columns: Sequence[str]
    formats: Mapping[str, Callable[[Any], object]] = field(default_factory=dict)
    """How an attribute is shown to people, where it is not as it comes."""
    verbs: tuple[str, str] = ("add", "remove")
    """What its commands to make one and to remove one are called."""

    def tell(self, shown: Object, as_json: bool) -> None:
        """Print one object."""
        if as_json:
            show_json(shown)
        else:
            show_record({name.replace("_", " "): self.format(name, value) for name, value in shown.items()})

    def format(self, name: str, value: Any) -> object:
        """An attribute for people."""
        return self.formats[name](value) if name in self.formats and value is not None else value

    def add(self, api: Api, body: Object, as_json: bool) -> None:
        """Create an object and print it."""
        self.tell(api.post(self.path, {self.kind: body})[self.kind], as_json)

    def set(self, api: Api, word: str, changes: Mapping[str, Any], as_json: bool) -> None:
        """Change those attributes that were given, and print the object."""
        given = {name: value for name, value in changes.items() if value is not None}
        if not given:
            raise click.UsageError("say what to change: see --help")
        found = api.find(self.path, self.word, word)
        self.tell(api.put(f"{self.path}/{found['id']}", {self.kind: given})[self.kind], as_json)


def add_common_commands(group: click.Group, collection: Collection, show: bool = True) -> None:
    """Give a group its list and remove, and its show unless it has one of its own."""
    for command in (_list(collection), _remove(collection), *([_show(collection)] if show else ())):
        group.add_command(command)


def _list(collection: Collection) -> click.Command:
    @api_options
    @json_option
    def list_all(api: Api, as_json: bool) -> None:
        found = api.collection(collection.path)
        if as_json:
            show_json(found)
            return
        if not found:
            click.echo(
                f"there is no {collection.word} yet; see `overlace {collection.word} {collection.verbs[0]} --help`"
            )
            return
        rows = [[collection.format(name, each.get(name)) for name in collection.columns] for each in found]
        show_table([name.replace("_", " ") for name in collection.columns], rows)

    word = collection.word
    text = f"List every {word}.\n\n\b\nExamples:\n  overlace {word} list\n  overlace {word} list --json"
    return click.command("list", help=text)(list_all)


def _show(collection: Collection) -> click.Command:
    @click.argument("name")
    @api_options
    @json_option
    def show_one(name: str, api: Api, as_json: bool) -> None:
        collection.tell(api.find(collection.path, collection.word, name), as_json)

    text = f"Show the {collection.word} NAME.\n\n\b\nExample:\n  overlace {collection.word} show NAME"
    return click.command("show", help=text)(show_one)


def _remove(collection: Collection) -> click.Command:
    @click.argument("name")
    @api_options
    @json_option
    def remove_one(name: str, api: Api, as_json: bool) -> None:
        found = api.find(collection.path, collection.word, name)
        api.delete(f"{collection.path}/{found['id']}")
        if as_json:
            show_json({verb: found["id"]})
        else:
            click.echo(f"{collection.word} {name} is {verb}d")

    verb = collection.verbs[1]
    text = (
        f"{verb.capitalize()} the {collection.word} NAME. What is in use stays, and the refusal says what to do.\n\n"
        f"\b\nExample:\n  overlace {collection.word} {verb} NAME"
    )
    return click.command(verb, help=text)(remove_one)
