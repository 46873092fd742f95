"""Tags of a resource: the list as a whole, and one tag at a time."""

from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from overlace.northbound.auth.caller import Caller
from overlace.northbound.body import json_response, read_object
from overlace.northbound.conversion import KINDS
from overlace.northbound.errors import ApiError, BadRequest
from overlace.northbound.resource_handler import ResourceHandler

_LONGEST = 255
Tags = tuple[str, ...]


class TagHandler:
    """Serves /v2.0/<collection>/<id>/tags for a taggable resource."""

    def __init__(self, handler: ResourceHandler) -> None:
        self._handler = handler

    def routes(self) -> list[Route]:
        """All tags, and each tag."""
        base = f"/v2.0/{self._handler.resource.location}/{{id}}/tags"
        return [
            Route(base, self.index, methods=["GET"]),
            Route(base, self.extend, methods=["POST"]),
            Route(base, self.replace, methods=["PUT"]),
            Route(base, self.clear, methods=["DELETE"]),
            Route(base + "/{tag}", self.check, methods=["GET"]),
            Route(base + "/{tag}", self.add, methods=["PUT"]),
            Route(base + "/{tag}", self.remove, methods=["DELETE"]),
        ]

    async def index(self, request: Request) -> Response:
        """Every tag."""
        return json_response({"tags": list(await self._tags(request))})

    async def check(self, request: Request) -> Response:
        """204 when the tag is there."""
        tag = request.path_params["tag"]
        if tag not in await self._tags(request):
            raise _tag_not_found(tag)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def replace(self, request: Request) -> Response:
        """These tags and no others."""
        wanted = _parse((await read_object(request)).get("tags"))
        return json_response({"tags": list(await self._change(request, lambda _: wanted))})

    async def extend(self, request: Request) -> Response:
        """These tags too."""
        more = _parse((await read_object(request)).get("tags"))
        tags = await self._change(request, lambda tags: tuple(dict.fromkeys((*tags, *more))))
        return json_response({"tags": list(tags)}, HTTPStatus.CREATED)

    async def clear(self, request: Request) -> Response:
        """No tags."""
        await self._change(request, lambda _: ())
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def add(self, request: Request) -> Response:
        """One more."""
        (tag,) = _parse([request.path_params["tag"]])
        await self._change(request, lambda tags: tags if tag in tags else (*tags, tag))
        return Response(status_code=HTTPStatus.CREATED)

    async def remove(self, request: Request) -> Response:
        """One less."""
        tag = request.path_params["tag"]

        def without(tags: Tags) -> Tags:
            if tag not in tags:
                raise _tag_not_found(tag)
            return tuple(each for each in tags if each != tag)

        await self._change(request, without)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def _tags(self, request: Request) -> Tags:
        caller = await self._handler.context.caller(request)
        value = self._value(request, caller)
        return tuple(value.tags)

    def _value(self, request: Request, caller: Caller) -> Any:
        return self._handler.visible(self._handler.context.store.snapshot, request.path_params["id"], caller)

    async def _change(self, request: Request, change: Callable[[Tags], Tags]) -> Tags:
        caller = await self._handler.context.caller(request)
        self._value(request, caller)
        key = request.path_params["id"]

        def run(value: Any) -> Any:
            return replace(value, tags=change(value.tags))

        changed = await self._handler.modify(request, caller, key, run)
        return tuple(changed.tags)


def _parse(value: object) -> Tags:
    try:
        tags: Tags = KINDS["tags"].parse(value)
    except ValueError as reason:
        raise BadRequest(f"Invalid input for operation: {reason}.", "InvalidInput") from None
    if any(not 1 <= len(tag) <= _LONGEST for tag in tags):
        raise BadRequest("Invalid input for operation: a tag has 1 to 255 characters.", "InvalidInput")
    return tags


def _tag_not_found(tag: str) -> ApiError:
    return ApiError(HTTPStatus.NOT_FOUND, "TagNotFound", f"Tag {tag} could not be found.")
