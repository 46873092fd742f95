"""The switches under control, and what an operator may ask of one: /v2.0/overlace/switches. Administrators only.

Hosts and transit switches alike; which there are is declared at overlace/hosts and overlace/transit-switches.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from overlace.northbound.body import json_response
from overlace.northbound.context import Context
from overlace.northbound.errors import Conflict, NotFound
from overlace.northbound.views import NotPossible, SwitchControl

log = structlog.get_logger(__name__)

_PATH = "/v2.0/overlace/switches"


class SwitchApi:
    """Lists and shows switches, and has them compared, audited, adopted or thinned out."""

    def __init__(self, context: Context) -> None:
        self._context = context
        switches: SwitchControl = context.views.switches
        self._operations: Mapping[str, Callable[[str], Awaitable[Mapping[str, object]]]] = {
            "resync": switches.resynchronise,
            "audit": switches.audit,
            "adopt": switches.adopt,
            "allow-removal": switches.allow_removal,
        }

    def routes(self) -> list[Route]:
        """The list, one, its difference, and the operations."""
        return [
            Route(_PATH, self.index, methods=["GET"]),
            Route(_PATH + "/{name}", self.show, methods=["GET"]),
            Route(_PATH + "/{name}/difference", self.difference, methods=["GET"]),
            Route(_PATH + "/{name}/{operation}", self.operate, methods=["POST"]),
        ]

    async def index(self, request: Request) -> Response:
        """All, with their phase and counters."""
        await self._context.administrator(request, "get_overlace_switch")
        switches = self._context.views.switches.switches()
        return json_response({"switches": [{"name": name, **each} for name, each in switches.items()]})

    async def show(self, request: Request) -> Response:
        """One."""
        await self._context.administrator(request, "get_overlace_switch")
        return json_response({"switch": self._shown(request.path_params["name"])})

    async def difference(self, request: Request) -> Response:
        """What would be written to one, read now; nothing is."""
        await self._context.administrator(request, "get_overlace_switch_difference")
        name = request.path_params["name"]
        self._shown(name)
        try:
            found = await self._context.views.switches.difference(name)
        except NotPossible as reason:
            raise Conflict("SwitchNotReady", str(reason)) from None
        return json_response({"difference": found})

    async def operate(self, request: Request) -> Response:
        """Do one of the operations; the answer is what it found, or how the switch is."""
        operation, name = request.path_params["operation"], request.path_params["name"]
        caller = await self._context.administrator(request, f"update_overlace_switch:{operation}")
        if operation not in self._operations:
            raise NotFound("operation", f"{operation} (there are {', '.join(self._operations)})")
        self._shown(name)
        log.info("switch operation", operation=operation, switch=name, user=caller.user_id)
        try:
            found = await self._operations[operation](name)
        except NotPossible as reason:
            raise Conflict("SwitchNotReady", str(reason)) from None
        return json_response({"switch": {"name": name, **found}})

    def _shown(self, name: str) -> dict[str, Any]:
        shown = self._context.views.switches.switches().get(name)
        if shown is None:
            raise NotFound("switch", name)
        return {"name": name, **shown}
