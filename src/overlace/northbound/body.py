"""Request and response bodies: JSON both ways."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from overlace.northbound.errors import BadRequest

_ENCODER = msgspec.json.Encoder()
_MALFORMED = (
    "The server could not comply with the request since it is either malformed or otherwise incorrect. "
    "Body contains invalid data"
)
_DECODER = msgspec.json.Decoder()


def json_response(content: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON document."""
    return Response(_ENCODER.encode(content), status, headers, "application/json")


async def read_object(request: Request) -> dict[str, Any]:
    """The JSON object of a request. Raises BadRequest when there is none."""
    try:
        document = _DECODER.decode(await request.body())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadRequest(_MALFORMED) from None
    if not isinstance(document, dict):
        raise BadRequest("Resource body required")
    return document


def member(document: dict[str, Any], root: str) -> dict[str, Any]:
    """The object under its root key."""
    if root not in document:
        raise BadRequest(f"Unable to find '{root}' in request body")
    value = document[root]
    if not isinstance(value, dict):
        raise BadRequest(f"'{root}' is not an object")
    return value


def members(document: dict[str, Any], root: str, kind: str) -> list[dict[str, Any]]:
    """The objects under the root key of a bulk request; each may be wrapped once more in the single key."""
    value = document.get(root)
    if not isinstance(value, list) or not value or not all(isinstance(each, dict) for each in value):
        raise BadRequest(f"Unable to find '{root}' in request body")
    return [member(each, kind) if kind in each else each for each in value]
