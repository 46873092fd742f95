"""What Overlace answers beyond the networking API: its state, why a port is what it is, and traces."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from overlace.model.port import Port
from overlace.northbound.body import json_response, member, read_object
from overlace.northbound.context import Context
from overlace.northbound.errors import BadRequest, Forbidden, NotFound


class OverlaceApi:
    """Serves /v2.0/overlace/status, ports/<id>/realisation and trace."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> list[BaseRoute]:
        """The three."""
        return [
            Route("/v2.0/overlace/status", self.status, methods=["GET"]),
            Route("/v2.0/overlace/ports/{id}/realisation", self.realisation, methods=["GET"]),
            Route("/v2.0/overlace/trace", self.trace, methods=["POST"]),
        ]

    async def status(self, request: Request) -> Response:
        """The controller; administrators only."""
        caller = await self._context.caller(request)
        if not caller.is_admin:
            raise Forbidden("(rule:get_overlace_status)")
        revision = str(self._context.store.snapshot.revision)
        shown = {"revision": revision, **self._context.views.realisation.status()}
        return json_response({"status": shown})

    async def realisation(self, request: Request) -> Response:
        """How far a port has come, for all who may see the port."""
        caller = await self._context.caller(request)
        key = request.path_params["id"]
        port = self._context.store.snapshot.get(Port, key)
        if port is None or not (caller.is_admin or port.project_id == caller.project_id):
            raise NotFound("port", key)
        return json_response({"realisation": self._context.views.realisation.port_realisation(key)})

    async def trace(self, request: Request) -> Response:
        """Follow a packet through the installed flows; administrators only."""
        caller = await self._context.caller(request)
        if not caller.is_admin:
            raise Forbidden("(rule:create_overlace_trace)")
        wanted = member(await read_object(request), "trace")
        try:
            found = await self._context.views.tracer.trace(wanted)
        except ValueError as reason:
            raise BadRequest(f"Invalid input for trace. Reason: {reason}.") from None
        return json_response({"trace": found})
