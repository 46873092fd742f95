"""The controller as a whole: /v2.0/overlace/controller. Administrators only."""

from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from overlace.model.controller import TUNNEL_PORT, controller_of
from overlace.northbound.body import json_response, member, read_object
from overlace.northbound.context import Context, request_id, source
from overlace.northbound.errors import BadRequest
from overlace.northbound.intents import Transaction

_PATH = "/v2.0/overlace/controller"
_LAST_PORT = (1 << 16) - 1


class ControllerApi:
    """Shows and changes what holds for all switches."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> list[Route]:
        """Show and change."""
        return [Route(_PATH, self.show, methods=["GET"]), Route(_PATH, self.update, methods=["PUT"])]

    async def show(self, request: Request) -> Response:
        """As it is."""
        await self._context.administrator(request, "get_overlace_controller")
        return self._shown()

    async def update(self, request: Request) -> Response:
        """`observe_only`: true stops all writing at once, false begins it again. `tunnel_port`: all hosts' tunnels are
        made anew on that UDP port."""
        caller = await self._context.administrator(request, "update_overlace_controller")
        given = member(await read_object(request), "controller")
        _check(given)

        def run(transaction: Transaction) -> None:
            transaction.put(replace(controller_of(transaction), **given))

        await self._context.store.transact(
            run, actor=caller.user_id, request_id=request_id(request), source=source(request)
        )
        return self._shown()

    def _shown(self) -> Response:
        said = controller_of(self._context.store.snapshot)
        return json_response(
            {"controller": {"observe_only": said.observe_only, "tunnel_port": said.tunnel_port}}
        )


def _check(given: dict[str, Any]) -> None:
    """Raise BadRequest for anything but attributes with values that they may have."""
    port = given.get("tunnel_port", TUNNEL_PORT)
    if not given or given.keys() - {"observe_only", "tunnel_port"}:
        reason = "give observe_only, tunnel_port, or both"
    elif not isinstance(given.get("observe_only", False), bool):
        reason = "observe_only is true or false"
    elif not isinstance(port, int) or isinstance(port, bool) or not 1 <= port <= _LAST_PORT:
        reason = f"tunnel_port is a UDP port, 1 to {_LAST_PORT}"
    else:
        return
    raise BadRequest(f"Invalid input for controller. Reason: {reason}.")
