"""`overlace status`: the controller and its switches."""

import click

from overlace.cli.api import Api, Object, api_options
from overlace.terminal.options import json_option
from overlace.terminal.output import show_json, show_record, show_table

_COLUMNS = ("switch", "kind", "phase", "plan", "flows", "sent", "last resync", "peer")


@click.command()
@api_options
@json_option
def status(api: Api, as_json: bool) -> None:
    """Show the controller: its revision, and how far every switch is.

    `plan` is the plan that a switch has acknowledged, of the newest one made for it; `last resync` what was
    added, changed and removed when it was last compared. Reasons stand below the table.

    \b
    Examples:
      overlace status
      overlace status --os-cloud mine --json
    """
    shown = api.get("/v2.0/overlace/status")["status"]
    if as_json:
        show_json(shown)
        return
    switches: dict[str, Object] = shown["switches"]
    show_record(
        {
            "controller": api.url,
            "cluster": shown["cluster"],
            "revision": f"{shown['revision']}; compiled {shown['compiled']}",
            "switches": _summary(switches, shown["behind"]),
        }
    )
    if shown["observe_only"]:
        click.echo("observe mode: nothing is written to any switch; `overlace diff` shows what would be")
    for each in shown["certificates"]:
        if each["notice"] is not None:
            click.echo(each["notice"])
    if not switches:
        click.echo("\nno host yet: `overlace site add`, `overlace host add` and `overlace join` bring one in")
        return
    show_table(_COLUMNS, [_row(name, each) for name, each in switches.items()])
    for name, each in switches.items():
        for reason in _reasons(each):
            click.echo(f"{name}: {reason}")


def _summary(switches: dict[str, Object], behind: list[str]) -> str:
    connected = sum(each["connected"] for each in switches.values())
    waited = f"; awaited: {', '.join(behind)}" if behind else ""
    return f"{connected} of {len(switches)} connected{waited}"


def _row(name: str, switch: Object) -> tuple[object, ...]:
    resync = switch["last_resync"]
    return (
        name,
        switch["kind"],
        switch["phase"].replace("_", " "),
        f"{switch['acknowledged']}/{switch['published']}",
        switch["flows"],
        f"{switch['flows_sent']} flows, {switch['bytes_sent']} bytes",
        resync and f"+{resync['added']} ~{resync['changed']} -{resync['removed']}",
        switch["peer"],
    )


def _reasons(switch: Object) -> list[str]:
    """Everything that is not as it should be, each once."""
    reasons = [switch["hold"], switch["fault"], switch["tunnel_ports"]]
    reasons += [f"{fragment} is left out: {why}" for fragment, why in switch["held_out"].items()]
    return list(dict.fromkeys(each for each in reasons if each))
