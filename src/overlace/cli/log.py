"""`overlace log`: who changed what, when, through what and from where."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

import click
import msgspec

from overlace.cli.api import Api, Object, api_options
from overlace.terminal.options import json_option
from overlace.terminal.output import cell, show_json

LOG = "/v2.0/overlace/log"
POLL = 1.0
"""Seconds between questions with --follow."""
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_STAMPS = ("id", "name", "revision_number", "created_at", "updated_at")
_Options = Mapping[str, str | None]


def moment(text: str, now: datetime) -> str:
    """A time (without a zone, the machine's own), or how long before `now`, as ISO 8601 with its zone.

    Raises ValueError.
    """
    if ago := re.fullmatch(r"(\d{1,6})([smhd])", text):
        return (now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})).isoformat()
    return datetime.fromisoformat(text).astimezone().isoformat()


def _moment(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    try:
        return None if value is None else moment(value, datetime.now(UTC))
    except (ValueError, OverflowError):
        message = f"{value!r} is no time: give 30m, 2h, 7d, or 2026-11-26T10:00"
        raise click.BadParameter(message) from None


@click.command()
@click.argument("name", metavar="[OBJECT]", required=False)
@click.option("--kind", help="Only objects of this kind, such as port or security_group_rule.")
@click.option("--project", help="Only what belongs to this project (id or name).")
@click.option("--actor", help="Only what this user did (id or name); `overlace` is the controller itself.")
@click.option("--since", callback=_moment, help="Not what is older: 30m, 2h, 7d, or 2026-11-26T10:00.")
@click.option("--until", callback=_moment, help="Only what is older.")
@click.option("--before", metavar="REVISION", help="The page before this revision.")
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="Revisions to show."
)
@click.option("--follow", is_flag=True, help="Go on, and show each new revision until interrupted.")
@api_options
@json_option
def log(name: str | None, limit: int, follow: bool, api: Api, as_json: bool, **options: str | None) -> None:
    """Show who changed what, when, through what and from where, the newest last.

    OBJECT is an id or a name, also of something that is gone. A line for each object that a revision touched,
    below it each field that differs. With --json a list; with --follow --json an object a line.

    \b
    Examples:
      overlace log
      overlace log web --since 2h
      overlace log --project blue --actor alice --limit 100
      overlace log --kind security_group_rule --json
      overlace log --follow
    """
    wanted = {key: value for key, value in {"object": name, **options}.items() if value is not None}
    page = api.get(LOG, limit=str(limit), **wanted)
    newest_last: list[Object] = page["log"][::-1]
    if as_json and not follow:
        show_json(newest_last)
        return
    tell: Callable[[Object], None] = _tell_object if as_json else tell_revision
    for each in newest_last:
        tell(each)
    if "log_links" in page and not as_json:
        click.echo(f"there may be more: --before {newest_last[0]['revision']}", err=True)
    if follow:
        _follow(api, wanted, newest_last[-1]["revision"] if newest_last else page["revision"], tell)


def tell_revision(found: Object) -> None:
    """A head line, and what became of each object."""
    who = found["actor_name"] or found["actor"]
    request = f" ({found['request_id']})" if found["request_id"] else ""
    when = datetime.fromisoformat(found["at"]).astimezone().isoformat(" ", "seconds")
    through = found["source"] or "unknown"
    click.echo(f"{found['revision']}  {when}  {who}, through {through}{request}")
    for change in found["changes"]:
        click.echo(f"  {_verb(change)} {change['kind'].replace('_', ' ')} {_called(change)}")
        for line in difference(change["before"] or {}, change["after"] or {}):
            click.echo(f"      {line}")


def difference(before: Mapping[str, object], after: Mapping[str, object]) -> Iterator[str]:
    """A line for every field that differs: what came, what went, or one value and the other."""
    for name in dict.fromkeys([*before, *after]):
        old, new = before.get(name), after.get(name)
        if old == new or (name in _STAMPS and not (name == "name" and before and after)):
            continue
        word = name.replace("_", " ")
        match old, new:
            case (list(), list()) if before and after:
                parts = [f"+ {cell(each)}" for each in new if each not in old]
                parts += [f"- {cell(each)}" for each in old if each not in new]
                yield f"{word}: {', '.join(parts) or 'in another order'}"
            case _ if before and after:
                yield f"{word}: {cell(old)} -> {cell(new)}"
            case _ if (old or new) not in (None, "", [], {}, False):
                yield f"{word}: {cell(old or new)}"


def _follow(api: Api, wanted: _Options, last: str, tell: Callable[[Object], None]) -> None:
    kept = {key: value for key, value in wanted.items() if key != "before" and value is not None}
    try:
        while True:
            page = api.get(LOG, after=last, **kept)
            for each in page["log"]:
                tell(each)
            last = page["log"][-1]["revision"] if page["log"] else page["revision"]
            if "log_links" not in page:
                time.sleep(POLL)
    except KeyboardInterrupt:
        return


def _tell_object(found: Object) -> None:
    click.echo(msgspec.json.encode(found).decode())


def _verb(change: Object) -> str:
    if change["before"] is None:
        return "created"
    return "removed" if change["after"] is None else "changed"


def _called(change: Object) -> str:
    name = (change["after"] or change["before"]).get("name")
    return f"{name} ({change['id']})" if name else str(change["id"])
