"""Who changed what, when, through what and from where: /v2.0/overlace/log. Administrators only.

The log outlives its objects, so names in a question also find what is gone; names of users and projects are looked
up as they are now.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from overlace.kit.revision import Revision
from overlace.model.identity import Project, User
from overlace.northbound.body import json_response
from overlace.northbound.context import Context
from overlace.northbound.errors import BadRequest
from overlace.northbound.intents import Reader
from overlace.store.history import LoggedChange, LoggedRevision, LogQuestion

_PATH = "/v2.0/overlace/log"
_PARAMETERS = ("object", "kind", "project", "actor", "since", "until", "before", "after", "limit")
DEFAULT_LIMIT = 100
MOST = 1000
"""Revisions in one answer."""
HIDDEN = "(hidden)"
CHANGED = "(hidden, another)"


class LogApi:
    """Lists revisions with their changes: the newest first, or with ``after`` the oldest first."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> list[Route]:
        """The one."""
        return [Route(_PATH, self.index, methods=["GET"])]

    async def index(self, request: Request) -> Response:
        """A page; ``revision`` is a point up to which nothing is missing, for those who ask again behind it."""
        await self._context.administrator(request, "get_overlace_log")
        snapshot = self._context.store.snapshot
        question = _question(request.query_params, snapshot)
        found = await self._context.views.changes.log(question)
        content: dict[str, object] = {
            "log": [_shown(each, snapshot) for each in found],
            "revision": str(snapshot.revision),
        }
        if len(found) == question.limit:
            content["log_links"] = [{"rel": "next", "href": _next(request, str(found[-1].revision))}]
        return json_response(content)


def _question(given: Mapping[str, str], reader: Reader) -> LogQuestion:
    if unknown := set(given) - set(_PARAMETERS):
        raise BadRequest(f"Unrecognized parameter(s) '{', '.join(sorted(unknown))}' of the log")
    project, actor = given.get("project", ""), given.get("actor", "")
    return LogQuestion(
        limit=_limit(given.get("limit")),
        about=given.get("object", ""),
        kind=given.get("kind", ""),
        projects=(project, *_named(reader, Project, project)) if project else (),
        actors=(actor, *_named(reader, User, actor)) if actor else (),
        since=_time("since", given),
        until=_time("until", given),
        before=_revision("before", given),
        after=_revision("after", given),
    )


def _named(reader: Reader, cls: type[Any], name: str) -> list[str]:
    return [each.id for each in reader.members(cls, "name", name)]


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    if not text.isdecimal() or len(text) > len(str(MOST)) or not 1 <= int(text) <= MOST:
        raise BadRequest(f"Bad limit: '{text:.40}' is not a number from 1 to {MOST}")
    return int(text)


def _time(name: str, given: Mapping[str, str]) -> datetime | None:
    if name not in given:
        return None
    try:
        found = datetime.fromisoformat(given[name])
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        cure = "give a time with its zone, such as 2026-11-26T10:00:00+00:00"
        raise BadRequest(f"Invalid input for {name}. Reason: '{given[name]:.40}' is no such time: {cure}.")
    return found


def _revision(name: str, given: Mapping[str, str]) -> Revision | None:
    if name not in given:
        return None
    try:
        return Revision.parse(given[name])
    except ValueError:
        cure = "give one as the log shows it, such as site/1/42"
        raise BadRequest(
            f"Invalid input for {name}. Reason: '{given[name]:.40}' is no revision: {cure}."
        ) from None


def _shown(found: LoggedRevision, reader: Reader) -> dict[str, object]:
    user = reader.get(User, found.actor)
    return {
        "revision": str(found.revision),
        "at": found.at,
        "actor": found.actor,
        "actor_name": user.name if user is not None else None,
        "request_id": found.request_id,
        "source": found.source,
        "changes": [_change(each) for each in found.changes],
    }


def _change(change: LoggedChange) -> dict[str, object]:
    before, after = (
        None if each is None else msgspec.Raw(each.encode()) for each in (change.before, change.after)
    )
    shown: dict[str, object] = {"kind": change.kind, "id": change.id, "before": before, "after": after}
    return shown if change.kind != "user" else shown | _without_password(change)


def _without_password(change: LoggedChange) -> dict[str, object]:
    """That a password was changed is news; its hash is a secret."""
    before, after = (
        None if each is None else msgspec.json.decode(each) for each in (change.before, change.after)
    )
    another = before is not None and after is not None and before["password_hash"] != after["password_hash"]
    if before is not None:
        before["password_hash"] = HIDDEN
    if after is not None:
        after["password_hash"] = CHANGED if another else HIDDEN
    return {"before": before, "after": after}


def _next(request: Request, last: str) -> str:
    """The page beyond this one, in the direction of this one."""
    onward = "after" if "after" in request.query_params else "before"
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != onward]
    return f"{request.url.replace(query='')}?{urlencode([*kept, (onward, last)])}"
