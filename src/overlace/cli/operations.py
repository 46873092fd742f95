"""What an operator may ask of a host or a transit switch: resync, audit, allow-removal."""

from collections.abc import Callable

import click

from overlace.cli.api import Api, Object, api_options
from overlace.cli.collections import Collection
from overlace.terminal.options import json_option
from overlace.terminal.output import progress, show_json

SWITCHES = "/v2.0/overlace/switches"

_TEXTS = {
    "resync": "Compare {word} NAME with its plan anew, and write what differs.",
    "audit": "Check every flow of {word} NAME now, and put right what somebody else changed.",
    "allow-removal": "Let the plan remove however many flows it wants to from {word} NAME, once.\n\n"
    "A plan that removes more than half of a switch's flows is held until an operator agrees.",
}


def add_operations(group: click.Group, collection: Collection) -> None:
    """Give a group the three."""
    for operation in _TEXTS:
        group.add_command(_operation(operation, collection))


def tell_switch(shown: Object) -> None:
    """Say in a line how a switch is."""
    line = f"{shown['name']}: {shown['phase_means']}"
    click.echo(f"{line}; {shown['hold']}" if shown.get("hold") else line)


def tell_report(shown: Object) -> None:
    """Say what an audit or a comparison found."""
    repaired = shown["added"] + shown["changed"] + shown["removed"]
    counts = f"{shown['added']} added, {shown['changed']} changed, {shown['removed']} removed"
    click.echo(f"{shown['observed']} flows seen; " + (f"{counts}:" if repaired else "all as they should be"))
    for each in shown["flows"]:
        click.echo(f"  {each}")


def _operation(operation: str, collection: Collection) -> click.Command:
    tell: Callable[[Object], None] = tell_report if operation == "audit" else tell_switch

    @click.argument("name")
    @api_options
    @json_option
    def operate(name: str, api: Api, as_json: bool) -> None:
        found = api.find(collection.path, collection.word, name)
        with progress(f"{operation} {name}"):
            shown = api.post(f"{SWITCHES}/{found['id']}/{operation}")["switch"]
        if as_json:
            show_json(shown)
        else:
            tell(shown)

    word = collection.word
    text = _TEXTS[operation].format(word=word)
    text += f"\n\n\b\nExample:\n  overlace {word} {operation} NAME"
    return click.command(operation, help=text)(operate)
