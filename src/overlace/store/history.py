"""The log of changes: who changed what, when, through what and from where; before and after.

It is read on a connection of its own, beside the writer (a write-ahead log permits that), so a long look at it keeps
no commit waiting. There is no index beside the order of the log itself, which every commit would pay for.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Engine, Row, Select, and_, exists, func, or_, select, tuple_

from overlace.kit.revision import Revision
from overlace.store.tables import CHANGES, REVISIONS


@dataclass(frozen=True, slots=True)
class LoggedChange:
    """One object in one revision, as JSON text; `before` is None for a new one, `after` for one that is gone."""

    kind: str
    id: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class LoggedRevision:
    """A revision with those of its changes that were asked for; `at` is ISO 8601, UTC."""

    revision: Revision
    at: str
    actor: str
    request_id: str
    source: str
    changes: tuple[LoggedChange, ...]


@dataclass(frozen=True, slots=True)
class LogQuestion:
    """Which changes, `limit` revisions at most: the newest first or, behind `after`, the oldest first.

    What is empty does not restrict. `about` is an object's id, or a name that it had before or after the change.
    """

    limit: int
    about: str = ""
    kind: str = ""
    projects: tuple[str, ...] = ()
    actors: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    before: Revision | None = None
    after: Revision | None = None


_POSITION = (REVISIONS.c.epoch, REVISIONS.c.number)
_SAME = and_(CHANGES.c.epoch == REVISIONS.c.epoch, CHANGES.c.number == REVISIONS.c.number)


def read_log(engine: Engine, origin: str, question: LogQuestion) -> list[LoggedRevision]:
    """The answer of a store whose revisions are of `origin`. Raises sqlalchemy.exc.SQLAlchemyError."""
    order = [each.desc() if question.after is None else each.asc() for each in _POSITION]
    # Asked revision by revision, so that the search ends with the page.
    matching = exists().where(_SAME, *_of_change(question))
    positions = select(*_POSITION).where(*_of_revision(question), matching)
    page = positions.order_by(*order).limit(question.limit).subquery()
    wanted: Select[Any] = (
        select(REVISIONS, CHANGES.c.kind, CHANGES.c.id, CHANGES.c.before, CHANGES.c.after)
        .join(page, and_(page.c.epoch == REVISIONS.c.epoch, page.c.number == REVISIONS.c.number))
        .join(CHANGES, _SAME)
        .where(*_of_change(question))
        .order_by(*order, CHANGES.c.kind, CHANGES.c.id)
    )
    with engine.connect() as connection:
        return list(_revisions(connection.execute(wanted), origin))


def _revisions(rows: Iterable[Row[Any]], origin: str) -> Iterable[LoggedRevision]:
    for (epoch, number), group in groupby(rows, key=lambda row: (row.epoch, row.number)):
        found = list(group)
        changes = tuple(LoggedChange(row.kind, row.id, row.before, row.after) for row in found)
        who = found[0]
        revision = Revision(origin, epoch, number)
        yield LoggedRevision(revision, who.at, who.actor, who.request_id, who.source, changes)


def _of_revision(question: LogQuestion) -> Iterable[ColumnElement[bool]]:
    if question.actors:
        yield REVISIONS.c.actor.in_(question.actors)
    if question.since is not None:
        yield REVISIONS.c.at >= question.since.astimezone(UTC).isoformat()
    if question.until is not None:
        yield REVISIONS.c.at < question.until.astimezone(UTC).isoformat()
    if question.before is not None:
        position = tuple_(*_POSITION)
        yield position < (question.before.epoch, question.before.number)
    if question.after is not None:
        position = tuple_(*_POSITION)
        yield position > (question.after.epoch, question.after.number)


def _of_change(question: LogQuestion) -> Iterable[ColumnElement[bool]]:
    if question.kind:
        yield CHANGES.c.kind == question.kind
    if question.about:
        yield or_(CHANGES.c.id == question.about, _field("name").in_([question.about]), _was(question.about))
    if question.projects:
        of_project = _field("project_id").in_(question.projects)
        yield or_(of_project, and_(CHANGES.c.kind == "project", CHANGES.c.id.in_(question.projects)))


def _field(name: str) -> ColumnElement[Any]:
    """Of the object as the change left it, or as it was when it went."""
    return func.json_extract(func.coalesce(CHANGES.c.after, CHANGES.c.before), f"$.{name}")


def _was(name: str) -> ColumnElement[bool]:
    found: ColumnElement[Any] = func.json_extract(CHANGES.c.before, "$.name")
    return found == name
