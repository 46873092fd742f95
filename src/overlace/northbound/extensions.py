"""The list of extensions: what of the networking API is here."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from overlace.northbound.body import json_response
from overlace.northbound.context import Context
from overlace.northbound.errors import NotFound
from overlace.northbound.schema.claims import claimed


class Extensions:
    """Serves /v2.0/extensions."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> list[Route]:
        """The list and one alias."""
        return [
            Route("/v2.0/extensions", self.index, methods=["GET"]),
            Route("/v2.0/extensions/{alias}", self.show, methods=["GET"]),
        ]

    async def index(self, request: Request) -> Response:
        """All that are claimed."""
        await self._context.caller(request)
        fields = set(request.query_params.getlist("fields"))
        shown = [each.shown() for each in claimed().values()]
        if fields:
            shown = [{name: each[name] for name in each if name in fields} for each in shown]
        return json_response({"extensions": shown})

    async def show(self, request: Request) -> Response:
        """One, by alias."""
        await self._context.caller(request)
        alias = request.path_params["alias"]
        if alias not in claimed():
            raise NotFound("extension", alias)
        return json_response({"extension": claimed()[alias].shown()})
