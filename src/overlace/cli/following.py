"""Waiting for a procedure, and telling how it goes."""

import time
from collections import Counter

import click

from overlace.cli.api import Api, Object
from overlace.cli.failures import Failure
from overlace.terminal.output import Progress, progress, show_json

PROCEDURES = "/v2.0/overlace/procedures"
_LOOK = 0.5


def follow(api: Api, made: Object, as_json: bool) -> None:
    """Wait for its end and print it. Raises Failure when it came to nothing."""
    what = "moving" if made["kind"] == "move" else "evacuating"
    with progress(what) as tell:
        ended = _wait(api, str(made["id"]), tell)
    if as_json:
        show_json(ended)
    elif ended["state"] == "done":
        click.echo(_told(api, ended))
    if ended["state"] != "done":
        raise Failure(f"procedure {ended['id']} {ended['state']}: {ended['reason'] or 'it was asked to'}")


def _wait(api: Api, key: str, tell: Progress) -> Object:
    while True:
        shown: Object = api.get(f"{PROCEDURES}/{key}")["procedure"]
        if shown["state"] != "running":
            return shown
        tell(_line(shown) if shown["kind"] == "move" else _lines(api, key))
        time.sleep(_LOOK)


def _line(move: Object) -> str:
    line = f"{move['machine_id']} {move['step']}"
    if going := move.get("progress"):
        line += f" {going['percent']:.0f} %"
        if going.get("remaining_bytes"):
            line += f", {going['remaining_bytes'] / 1e6:.1f} MB left"
        if going.get("seconds_left") is not None:
            line += f", about {going['seconds_left']:.0f} s"
    return f"{line}: {move['problem']}" if move.get("problem") else line


def _lines(api: Api, key: str) -> str:
    moves = api.collection(PROCEDURES, parent=key)
    states = Counter(str(each["state"]) for each in moves)
    under_way = [_line(each) for each in moves if each["state"] == "running" and each["step"] != "queued"]
    line = f"{states['done']} of {len(moves)} moved"
    if states["failed"]:
        line += f", {states['failed']} failed"
    return "; ".join([line, *under_way[:3]])


def _told(api: Api, ended: Object) -> str:
    if ended["kind"] == "move":
        where = ended.get("to_host") or ended["to_site"]
        cost = f"{ended['copied_bytes'] / 1e6:.1f} MB of memory"
        cost += f", {ended['disk_bytes'] / 1e6:.1f} MB of disks" if ended["disk_bytes"] else ""
        gaps = f"still for {ended['stop_ms']} ms, network {ended['network_ms']} ms"
        return f"{ended['machine_id']} is at {where}: {ended['mode_taken']}, {cost}, {gaps}"
    moves = api.collection(PROCEDURES, parent=str(ended["id"]))
    return f"{len(moves)} machines moved; see: overlace procedure list --parent {ended['id']}"
