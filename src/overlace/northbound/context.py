"""What every endpoint works with, and the state of one request."""

from dataclasses import dataclass

from starlette.requests import Request

from overlace.kit.clock import Clock
from overlace.northbound.auth.caller import Authenticator, Caller
from overlace.northbound.configuration import NetworkingConfiguration
from overlace.northbound.errors import Forbidden
from overlace.northbound.intents import Store
from overlace.northbound.schema.attributes import Perspective
from overlace.northbound.views import Views


@dataclass(frozen=True, slots=True)
class Context:
    """The parts that `app` hands in."""

    store: Store
    views: Views
    authenticator: Authenticator
    clock: Clock
    configuration: NetworkingConfiguration

    def perspective(self) -> Perspective:
        """The newest state with the views."""
        return Perspective(self.store.snapshot, self.views)

    async def caller(self, request: Request) -> Caller:
        """Who asks. Raises Unauthorized."""
        return await self.authenticator.authenticate(request)

    async def administrator(self, request: Request, rule: str) -> Caller:
        """Who asks for what only administrators may. Raises Unauthorized, and Forbidden that names the rule."""
        caller = await self.caller(request)
        if not caller.is_admin:
            raise Forbidden(f"(rule:{rule})")
        return caller


def request_id(request: Request) -> str:
    """The id under which the request is answered and its change recorded."""
    return str(request.scope.get("overlace.request_id", ""))


def source(request: Request, through: str = "api") -> str:
    """Through what a change came and from which address, as the log of changes keeps it."""
    return f"{through} from {request.client.host}" if request.client is not None else through
