"""`overlace trace`: what becomes of a packet, over the flows that are really installed."""

from typing import Any

import click
from click.core import ParameterSource

from overlace.cli.api import Api, Object, api_options
from overlace.cli.failures import WrongUsage
from overlace.terminal.options import json_option
from overlace.terminal.output import progress, show_json

_WITHOUT_PORT = ("icmp", "arp", "nd", "dhcp", "ra")
_WITH_PORT = ("tcp", "udp", "sctp")
_VERDICTS = {
    "delivered": "DELIVERED",
    "answered": "ANSWERED BY THE SWITCH",
    "controller": "HANDED TO THE CONTROLLER",
    "dropped": "DROPPED",
    "unanswered": "NOT ANSWERED",
    "not_sent": "NOT SENT",
    "unknown": "NOT KNOWN",
}

_ARRIVED = ("delivered", "answered", "controller")


@click.command()
@click.argument("source", metavar="PORT")
@click.argument("destination", metavar="[PORT|ADDRESS|MAC|broadcast]", default="")
@click.option("--tcp", metavar="NUMBER", type=click.IntRange(0, 65535), help="TCP to this port.")
@click.option("--udp", metavar="NUMBER", type=click.IntRange(0, 65535), help="UDP to this port.")
@click.option("--sctp", metavar="NUMBER", type=click.IntRange(0, 65535), help="SCTP to this port.")
@click.option("--icmp", is_flag=True, help="An echo request.  [the default]")
@click.option("--arp", is_flag=True, help="An ARP request for the destination.")
@click.option("--nd", is_flag=True, help="A neighbour solicitation for the destination.")
@click.option("--dhcp", is_flag=True, help="A DHCP discovery (-6: a solicitation); needs no destination.")
@click.option("--ra", is_flag=True, help="A router advertisement; needs no destination.")
@click.option("--source-port", metavar="NUMBER", type=click.IntRange(0, 65535), help="The client's port.")
@click.option("-4", "version", flag_value=4, type=int, help="Over IPv4.")
@click.option("-6", "version", flag_value=6, type=int, help="Over IPv6.")
@click.option("--size", metavar="BYTES", type=click.IntRange(20, 65535), help="Length of the IP packet.")
@click.option("--established", is_flag=True, help="A packet of a connection that PORT has opened before.")
@click.option("--reply", is_flag=True, help="A packet of a connection that the other end has opened.")
@click.option("--source-mac", metavar="MAC", help="What PORT sends in place of its own MAC.")
@click.option("--source-ip", metavar="ADDRESS", help="What PORT sends in place of its own address.")
@click.option("--vlan", metavar="ID", type=click.IntRange(0, 4095), help="A tag that PORT puts on the frame.")
@click.option("--both", is_flag=True, help="Follow a new packet of the opposite direction, too.")
@click.option("--flows", is_flag=True, help="Show the flow of every step.")
@api_options
@json_option
@click.pass_context
def trace(context: click.Context, /, api: Api, as_json: bool, flows: bool, **options: Any) -> None:
    """Follow a packet from PORT hop by hop, and say which object let it pass or dropped it.

    The flows are read from the switches, so what somebody changed there is seen, too. For a new connection
    the answer is followed as well. The exit status is 1 when a packet does not arrive.

    \b
    Examples:
      overlace trace web db --tcp 5432
      overlace trace web 192.168.0.7 --both
      overlace trace web broadcast -6
      overlace trace web db --udp 53 --source-mac 02:00:00:00:00:99
      overlace trace web db --size 1500 --json
    """
    with progress("reading the switches"):
        found = api.post("/v2.0/overlace/trace", {"trace": _question(context, options)})["trace"]
    if as_json:
        show_json(found)
    else:
        for title in ("forward", "return", "opposite"):
            if found.get(title):
                _show(title, found[title], flows)
    passages = [each for each in found.values() if each]
    context.exit(0 if all(each["verdict"] in _ARRIVED for each in passages) else 1)


def _question(context: click.Context, options: dict[str, Any]) -> Object:
    given = [
        name
        for name in (*_WITH_PORT, *_WITHOUT_PORT)
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    ]
    if len(given) > 1:
        raise WrongUsage(f"one packet at a time: --{' and --'.join(given)} exclude each other")
    if options["established"] and options["reply"]:
        raise WrongUsage("--established and --reply exclude each other")
    protocol = given[0] if given else "icmp"
    question: Object = {
        "source": options["source"],
        "destination": options["destination"],
        "protocol": protocol,
    }
    question |= {name: options[name] for name in ("source_port", "size", "source_mac", "source_ip", "vlan")}
    question |= {"port": options[protocol] if protocol in _WITH_PORT else None, "both": options["both"]}
    question["ip_version"] = options["version"]
    question["state"] = "established" if options["established"] else "reply" if options["reply"] else "new"
    return {name: value for name, value in question.items() if value not in (None, "", False)}


def _show(title: str, passage: Object, flows: bool) -> None:
    click.echo(f"{title}: {passage['packet']}")
    for number, hop in enumerate(passage["hops"], start=1):
        click.echo(f"  hop {number}: {hop['host']}, from {hop['from']}")
        for step in hop["steps"]:
            click.echo(f"    {step['table']:<16} {step['text']}")
            if flows and step.get("flow"):
                click.echo(f"    {'':<16}   {step['flow']}")
        for outcome in hop["outcomes"]:
            click.echo(f"    => {outcome}")
    for difference in passage["differences"]:
        click.echo(f"  ! {difference['text']}")
        if difference.get("flow"):
            click.echo(f"      {difference['flow']}")
    click.echo(f"  {_VERDICTS[passage['verdict']]}: {passage['summary']}")
    if passage["cure"]:
        click.echo(f"  cure: {passage['cure']}")
    if passage.get("planned", passage["verdict"]) != passage["verdict"]:
        click.echo(f"  as planned it would be {_VERDICTS[passage['planned']].lower()}")
    if warning := passage.get("warning"):
        click.echo(f"  warning: {warning['summary']}; {warning['cure']}")
