"""What Overlace answers beyond the networking API: its state, why a port is what it is, and traces."""

from collections.abc import Awaitable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from overlace.model.network import Network
from overlace.model.port import Port
from overlace.model.site import Host
from overlace.northbound.auth.caller import Caller
from overlace.northbound.body import json_response, member, read_object
from overlace.northbound.context import Context
from overlace.northbound.errors import BadRequest, NotFound
from overlace.northbound.views import UnknownError


class OverlaceApi:
    """Serves /v2.0/overlace/status, trace, flows, and realisation of ports, networks and hosts."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> list[Route]:
        """All of them."""
        return [
            Route("/v2.0/overlace/status", self.status, methods=["GET"]),
            Route("/v2.0/overlace/ports/{id}/realisation", self.port, methods=["GET"]),
            Route("/v2.0/overlace/networks/{id}/realisation", self.network, methods=["GET"]),
            Route("/v2.0/overlace/hosts/{id}/realisation", self.host, methods=["GET"]),
            Route("/v2.0/overlace/flows", self.flows, methods=["GET"]),
            Route("/v2.0/overlace/trace", self.trace, methods=["POST"]),
        ]

    async def status(self, request: Request) -> Response:
        """The controller; administrators only."""
        await self._context.administrator(request, "get_overlace_status")
        revision = str(self._context.store.snapshot.revision)
        shown = {"revision": revision, **self._context.views.realisation.status()}
        return json_response({"status": shown})

    async def port(self, request: Request) -> Response:
        """How far a port has come, for all who may see the port."""
        caller = await self._context.caller(request)
        key = request.path_params["id"]
        found = self._context.store.snapshot.get(Port, key)
        if found is None or not _may_see(caller, found.project_id):
            raise NotFound("port", key)
        view = self._context.views.realisation
        return json_response({"realisation": view.port_realisation(key, with_hosts=caller.is_admin)})

    async def network(self, request: Request) -> Response:
        """What keeps the ports of a network from being ACTIVE, for its owner."""
        caller = await self._context.caller(request)
        key = request.path_params["id"]
        found = self._context.store.snapshot.get(Network, key)
        if found is None or not _may_see(caller, found.project_id):
            raise NotFound("network", key)
        view = self._context.views.realisation
        return json_response({"realisation": view.network_realisation(key, with_hosts=caller.is_admin)})

    async def host(self, request: Request) -> Response:
        """What is the matter with a host; administrators only."""
        await self._context.administrator(request, "get_overlace_host_realisation")
        key = request.path_params["id"]
        if self._context.store.snapshot.get(Host, key) is None:
            raise NotFound("host", key)
        return json_response({"realisation": self._context.views.realisation.host_realisation(key)})

    async def flows(self, request: Request) -> Response:
        """The installed flows of one object; administrators only."""
        await self._context.administrator(request, "get_overlace_flows")
        word = request.query_params.get("of", "")
        if not word:
            raise BadRequest("Invalid input for flows. Reason: 'of' is missing: the id or name of an object.")
        return json_response({"flows": await _answered(self._context.views.tracer.flows_of(word), "flows")})

    async def trace(self, request: Request) -> Response:
        """Follow a packet through the installed flows: administrators any, projects those of their own ports."""
        caller = await self._context.caller(request)
        wanted = member(await read_object(request), "trace")
        project = None if caller.is_admin else caller.project_id
        found = await _answered(self._context.views.tracer.trace(wanted, project), "trace")
        return json_response({"trace": found})


def _may_see(caller: Caller, project_id: str) -> bool:
    return caller.is_admin or project_id == caller.project_id


async def _answered(answer: Awaitable[Mapping[str, object]], what: str) -> Mapping[str, object]:
    try:
        return await answer
    except UnknownError as unknown:
        raise NotFound(unknown.kind, unknown.word) from None
    except ValueError as reason:
        raise BadRequest(f"Invalid input for {what}. Reason: {reason}.") from None
