"""Conditional changes: ``If-Match: revision_number=N``."""

import re
from typing import Any

from starlette.requests import Request

from overlace.northbound.errors import BadRequest, RevisionMismatch

_CONDITION = re.compile(r"revision_number=(\d{1,18})", re.ASCII)


def expected_revision(request: Request) -> int | None:
    """The revision on which a request insists. Raises BadRequest for another condition."""
    text = request.headers.get("if-match")
    if text is None:
        return None
    found = _CONDITION.fullmatch(text.strip())
    if found is None:
        raise BadRequest(f"Unrecognized value in If-Match header: '{text}'")
    return int(found.group(1))


def check_revision(value: Any, expected: int | None) -> None:
    """Raise RevisionMismatch when the value has moved on."""
    current = getattr(value, "revision_number", 0)
    if expected is not None and current != expected:
        raise RevisionMismatch(expected, current)
