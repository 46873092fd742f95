"""The controller as a whole: /v2.0/overlace/controller. Administrators only."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from overlace.model.controller import CONTROLLER, Controller
from overlace.northbound.body import json_response, member, read_object
from overlace.northbound.context import Context, request_id, source
from overlace.northbound.errors import BadRequest
from overlace.northbound.intents import Transaction

_PATH = "/v2.0/overlace/controller"


class ControllerApi:
    """Shows and changes whether anything is written to switches at all."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> list[BaseRoute]:
        """Show and change."""
        return [Route(_PATH, self.show, methods=["GET"]), Route(_PATH, self.update, methods=["PUT"])]

    async def show(self, request: Request) -> Response:
        """As it is."""
        await self._context.administrator(request, "get_overlace_controller")
        return self._shown()

    async def update(self, request: Request) -> Response:
        """`observe_only`: true stops all writing at once, false begins it again."""
        caller = await self._context.administrator(request, "update_overlace_controller")
        given = member(await read_object(request), "controller")
        wanted = given.get("observe_only")
        if set(given) != {"observe_only"} or not isinstance(wanted, bool):
            raise BadRequest("Invalid input for controller. Reason: give observe_only, true or false.")

        def run(transaction: Transaction) -> None:
            transaction.put(Controller(observe_only=wanted))

        await self._context.store.transact(
            run, actor=caller.user_id, request_id=request_id(request), source=source(request)
        )
        return self._shown()

    def _shown(self) -> Response:
        said = self._context.store.snapshot.get(Controller, CONTROLLER) or Controller()
        return json_response({"controller": {"observe_only": said.observe_only}})
