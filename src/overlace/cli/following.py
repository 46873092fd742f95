"""Waiting for a procedure, and telling how it goes."""

import time
from collections import Counter
from datetime import datetime

import click

from overlace.cli.api import Api, Object
from overlace.cli.failures import Failure
from overlace.terminal.output import Progress, progress, show_json

PROCEDURES = "/v2.0/overlace/procedures"
_LOOK = 0.5


def follow(api: Api, made: Object, as_json: bool) -> None:
    """Wait for its end and print it. Raises Failure when it came to nothing."""
    what = {"move": "moving", "rescue": "starting"}.get(str(made["kind"]), "evacuating")
    with progress(what) as tell:
        ended = _wait(api, str(made["id"]), tell)
    if as_json:
        show_json(ended)
    elif _is_good(ended):
        click.echo(_told(api, ended))
    if not _is_good(ended):
        raise Failure(f"procedure {ended['id']} {ended['state']}: {ended['reason'] or 'it was asked to'}")


def _wait(api: Api, key: str, tell: Progress) -> Object:
    while True:
        shown: Object = api.get(f"{PROCEDURES}/{key}")["procedure"]
        if shown["state"] != "running" or _is_good(shown):
            return shown
        tell(_line(shown) if shown["kind"] != "evacuation" else _lines(api, key))
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


def _is_good(shown: Object) -> bool:
    """Done; or a rescue whose guest runs: what is left waits for its old host."""
    return bool(shown["state"] == "done") or (shown["kind"], shown["step"]) == ("rescue", "finishing")


def age(rescue: Object) -> float:
    """Seconds between the moment that a rescued machine's disks show and the rescue."""
    began, shown = (datetime.fromisoformat(str(rescue[name])) for name in ("started_at", "data_as_of"))
    return max(0.0, (began - shown).total_seconds())


def _compared(move: Object) -> str:
    if not move["verified"]:
        return f" (not compared: {move['unverified'] or 'it was not asked for'})"
    since = f", {move['unverified_bytes'] / 1e6:.1f} MB since" if move["unverified_bytes"] else ""
    return f" (the same by {move['verified']} over {move['verified_bytes'] / 1e6:.1f} MB{since})"


def _told(api: Api, ended: Object) -> str:
    if ended["kind"] == "move":
        where = ended.get("to_host") or ended["to_site"]
        cost = f"{ended['copied_bytes'] / 1e6:.1f} MB of memory"
        cost += f", {ended['disk_bytes'] / 1e6:.1f} MB of disks" if ended["disk_bytes"] else ""
        if ended["disk_bytes"]:
            cost += _compared(ended)
        gaps = f"still for {ended['stop_ms']} ms, network {ended['network_ms']} ms"
        return f"{ended['machine_id']} is at {where}: {ended['mode_taken']}, {cost}, {gaps}"
    if ended["kind"] == "rescue":
        where = ended.get("to_host") or ended["to_site"]
        data = (
            f" on its disks as of {ended['data_as_of']}, {age(ended):.0f} s before"
            if ended["data_as_of"]
            else ""
        )
        return f"{ended['machine_id']} runs at {where}{data}; it took {ended['recovery_s']} s"
    moves = api.collection(PROCEDURES, parent=str(ended["id"]))
    return f"{len(moves)} machines moved; see: overlace procedure list --parent {ended['id']}"
