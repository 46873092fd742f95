"""The underlay over HTTP: who hears whom, what paths carry, what is wrong. Administrators only."""

from collections.abc import Mapping, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from overlace.northbound.body import json_response
from overlace.northbound.context import Context


class UnderlayApi:
    """Serves /v2.0/overlace/liveness, paths and alarms; ``?host=NAME`` leaves what that host has part in."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> list[Route]:
        """The three."""
        return [
            Route("/v2.0/overlace/liveness", self.liveness, methods=["GET"]),
            Route("/v2.0/overlace/paths", self.paths, methods=["GET"]),
            Route("/v2.0/overlace/alarms", self.alarms, methods=["GET"]),
        ]

    async def liveness(self, request: Request) -> Response:
        """Each end's word on each BFD session."""
        await self._context.administrator(request, "get_overlace_liveness")
        sessions = self._context.views.underlay.liveness()
        return json_response({"liveness": _of(request, sessions, "host", "remote_host")})

    async def paths(self, request: Request) -> Response:
        """What the path-MTU probes have found."""
        await self._context.administrator(request, "get_overlace_paths")
        return json_response(
            {"paths": _of(request, self._context.views.underlay.paths(), "source", "target")}
        )

    async def alarms(self, request: Request) -> Response:
        """What an operator should do something about."""
        await self._context.administrator(request, "get_overlace_alarms")
        host = request.query_params.get("host")
        found = self._context.views.underlay.alarms()
        shown = [
            {"kind": each.kind, "hosts": list(each.hosts), "text": each.text}
            for each in found
            if not host or host in each.hosts
        ]
        return json_response({"alarms": shown})


def _of(
    request: Request, found: Sequence[Mapping[str, object]], one_end: str, other_end: str
) -> list[Mapping[str, object]]:
    host = request.query_params.get("host")
    return [each for each in found if not host or host in (each[one_end], each[other_end])]
