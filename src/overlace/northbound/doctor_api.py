"""What is wrong, with cause and cure: /v2.0/overlace/doctor. Administrators only."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from overlace.northbound.body import json_response
from overlace.northbound.context import Context

_PATH = "/v2.0/overlace/doctor"


class DoctorApi:
    """GET says what is known, POST probes the ways between hosts anew before."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> list[Route]:
        """Both."""
        return [Route(_PATH, self.known, methods=["GET"]), Route(_PATH, self.probed, methods=["POST"])]

    async def known(self, request: Request) -> Response:
        """From what switches, probes and the machine have told."""
        return await self._answer(request, probe=False)

    async def probed(self, request: Request) -> Response:
        """The same after a new round of path-MTU probes; takes up to twenty seconds."""
        return await self._answer(request, probe=True)

    async def _answer(self, request: Request, *, probe: bool) -> Response:
        await self._context.administrator(request, "get_overlace_doctor")
        findings = await self._context.views.doctor.examine(probe=probe)
        return json_response({"findings": findings})
