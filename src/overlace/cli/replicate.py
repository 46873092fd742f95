"""`overlace machine replicate`: a machine's disks kept at another host, at most so old."""

import time
from collections.abc import Callable
from typing import Any

import click

from overlace.cli.api import Api, Object, api_options
from overlace.cli.failures import Failure
from overlace.terminal.options import json_option
from overlace.terminal.output import Progress, progress, show_json

REPLICAS = "/v2.0/overlace/replicas"
_LOOK = 0.5


@click.command()
@click.argument("name")
@click.option("--to", "to_host", metavar="HOST", help="The host that keeps the replica.")
@click.option(
    "--every",
    type=click.IntRange(5, 7 * 24 * 3600),
    metavar="SECONDS",
    help="How old it may be at most.  [default: 60]",
)
@click.option(
    "--bandwidth",
    type=click.IntRange(min=0),
    metavar="MBIT",
    help="At most, in Mbit/s; 0 for all.  [default: 0]",
)
@click.option("--stop", is_flag=True, help="Keep it no longer, and remove it.")
@click.option("--verify", is_flag=True, help="Compare the next round with the disks, bit by bit.")
@click.option("--no-wait", is_flag=True, help="Return once it has begun.")
@api_options
@json_option
def replicate(
    name: str,
    to_host: str | None,
    every: int | None,
    bandwidth: int | None,
    stop: bool,
    verify: bool,
    no_wait: bool,
    api: Api,
    as_json: bool,
) -> None:
    """Keep a replica of the disks of the machine NAME at another host, never older than promised.

    All is copied once, and from then on what the guest has written, in rounds; each shows one moment of all its disks.
    Returns when the first one is whole. With a replica there already, change how old it may be, or compare it: that
    reads all of both, by checksum, and what is no hole travels back. `overlace machine show` tells its age and whether
    the promise is kept; `overlace machine rescue` starts the machine on it.

    \b
    Examples:
      overlace machine replicate web --to h3 --every 60
      overlace machine replicate web --every 300 --bandwidth 200
      overlace machine replicate web --verify
      overlace machine replicate web --stop
    """
    if stop and (to_host or every or bandwidth is not None or verify):
        raise click.UsageError("--stop goes with no other choice")
    if not (stop or to_host or every or verify) and bandwidth is None:
        raise click.UsageError(
            "say where to: --to HOST; or change --every or --bandwidth; or --verify; or --stop"
        )
    machine = str(api.find("/v2.0/overlace/machines", "machine", name)["id"])
    if stop:
        api.delete(f"{REPLICAS}/{machine}")
        _finish_stop(api, machine, no_wait, as_json)
        return
    wish = {"every": every, "bandwidth_mbit": bandwidth}
    given = {key: value for key, value in wish.items() if value is not None}
    if to_host:
        shown = api.post(REPLICAS, {"replica": {"id": machine, "host_id": to_host} | given})["replica"]
    elif given:
        shown = api.put(f"{REPLICAS}/{machine}", {"replica": given})["replica"]
    else:
        shown = api.get(f"{REPLICAS}/{machine}")["replica"]
    if not no_wait and shown["as_of"] is None:
        with progress("replicating") as tell:
            shown = _wait(api, machine, lambda now: now["as_of"] is not None, tell)
    if verify:
        shown = _verified(api, machine, no_wait)
    show_json(shown) if as_json else click.echo(told(shown))


def told(replica: Object) -> str:
    """A replica in one line."""
    where = replica.get("host_id") or replica["site_id"]
    if replica["age"] is None:
        return f"{replica['id']}: no replica at {where} yet, {replica['state']}"
    kept = "as promised" if replica["promise_kept"] else "OLDER THAN PROMISED"
    cost = f"{replica['sent_bytes'] / 1e6:.1f} MB in {replica['round_ms'] / 1000:.1f} s"
    same = f"; bit by bit the disks of {replica['verified']}" if replica["verified"] else ""
    return (
        f"{replica['id']}: its replica at {where} is {replica['age']:.0f} s old, at most {replica['every']} s: {kept}; "
        f"last round {cost}{same}"
    )


def told_briefly(replica: Object) -> str:
    """What a machine shows of its replica, in a few words."""
    where = replica["site_id"]
    if replica["age"] is None:
        return f"none yet at {where}, {replica['state']}"
    kept = "as promised" if replica["promise_kept"] else "OLDER THAN PROMISED"
    old = f"{replica['age']:.0f} s old at {where}, at most {replica['every']} s: {kept}"
    return f"{old}; last round {replica['sent_bytes']} bytes"


def _verified(api: Api, machine: str, no_wait: bool) -> Object:
    shown: Object = api.put(f"{REPLICAS}/{machine}", {"replica": {"verify": True}})["replica"]
    if not no_wait:
        with progress("comparing") as tell:
            shown = _wait(api, machine, lambda now: not now["verify"], tell)
        if shown["verified"] is None:
            raise Failure(f"the replica of {machine} differs from its disks; it is copied anew")
    return shown


def _wait(api: Api, machine: str, over: Callable[[Object], bool], tell: Progress) -> Object:
    while True:
        shown: Object = api.get(f"{REPLICAS}/{machine}")["replica"]
        if over(shown):
            return shown
        going = shown.get("progress")
        line = f"{machine} {shown['state']}" + (f" {going['percent']:.0f} %" if going else "")
        tell(f"{line}: {shown['problem']}" if shown.get("problem") else line)
        time.sleep(_LOOK)


def _finish_stop(api: Api, machine: str, no_wait: bool, as_json: bool) -> None:
    with progress("removing the replica") as tell:
        while not no_wait and (left := _left(api, machine)) is not None:
            tell(str(left.get("problem") or left["state"]))
            time.sleep(_LOOK)
    if as_json:
        show_json({"stopped": machine})
    else:
        click.echo(f"the replica of {machine} is {'being removed' if no_wait else 'removed'}")


def _left(api: Api, machine: str) -> Any:
    return next((each for each in api.collection(REPLICAS) if each["id"] == machine), None)
