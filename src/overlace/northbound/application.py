"""The whole API as one ASGI application."""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from overlace.kit.clock import Clock
from overlace.model.identity import Project
from overlace.northbound.agents import Agents
from overlace.northbound.auth.caller import Authenticator
from overlace.northbound.auth.identity import IdentityAuthentication
from overlace.northbound.auth.none import NoAuthentication
from overlace.northbound.auth.passwords import PasswordChecker
from overlace.northbound.body import json_response
from overlace.northbound.configuration import NetworkingConfiguration
from overlace.northbound.context import Context, request_id
from overlace.northbound.controller_api import ControllerApi
from overlace.northbound.doctor_api import DoctorApi
from overlace.northbound.errors import ApiError, Conflict, Unauthorized
from overlace.northbound.extensions import Extensions
from overlace.northbound.identity.access import Access
from overlace.northbound.identity.catalog import Discovery
from overlace.northbound.identity.projects import Projects
from overlace.northbound.identity.roles import Roles
from overlace.northbound.identity.tokens import TokenApi
from overlace.northbound.identity.users import Users
from overlace.northbound.intents import Reader, Store
from overlace.northbound.ip_availability import IpAvailability
from overlace.northbound.log_api import LogApi
from overlace.northbound.overlace_api import OverlaceApi
from overlace.northbound.port_bindings import PortBindings
from overlace.northbound.procedure_api import ProcedureApi
from overlace.northbound.quota_api import Quotas
from overlace.northbound.recovery_api import RecoveryApi
from overlace.northbound.request_identity import HEADER, Finished, RequestIdentity
from overlace.northbound.resource_handler import ResourceHandler
from overlace.northbound.resources.base import Resource
from overlace.northbound.resources.binding import Bindings
from overlace.northbound.resources.machine import Machines
from overlace.northbound.resources.move import Moves
from overlace.northbound.resources.network import Networks
from overlace.northbound.resources.port import Ports
from overlace.northbound.resources.procedure import Procedures
from overlace.northbound.resources.replica import Replicas
from overlace.northbound.resources.security_group import SecurityGroups
from overlace.northbound.resources.security_group_rule import SecurityGroupRules
from overlace.northbound.resources.segment import Segments
from overlace.northbound.resources.site import Hosts, Links, Sites, TransitSwitches
from overlace.northbound.resources.subnet import Subnets
from overlace.northbound.routing import Shelves
from overlace.northbound.switch_api import SwitchApi
from overlace.northbound.tags import TagHandler
from overlace.northbound.underlay_api import UnderlayApi
from overlace.northbound.versions import Versions
from overlace.northbound.views import Views
from overlace.store.errors import PoolExhausted, StoreUnavailable

_DEFAULTS = NetworkingConfiguration()


def create_application(
    store: Store,
    views: Views,
    auth: Authenticator,
    clock: Clock,
    configuration: NetworkingConfiguration = _DEFAULTS,
    finished: Callable[[Finished], object] = lambda _: None,
    more: Sequence[Route] = (),
) -> Starlette:
    """The API over a store; `auth` decides who asks, and whether they can log in.

    `finished` is told of every request, `more` are routes that the rest of the process serves beside these.
    """
    context = Context(store, views, auth, clock, configuration)
    handlers = [ResourceHandler(each, context) for each in resources()]
    routes: list[Route] = OverlaceApi(context).routes() + PortBindings(context).routes()
    routes += ProcedureApi(context).routes()
    for handler in handlers:
        if handler.resource.taggable:
            routes += TagHandler(handler).routes()
        routes += handler.routes()
    routes += IpAvailability(context).routes() + Agents(context).routes() + Extensions(context).routes()
    routes += RecoveryApi(context).routes() + ControllerApi(context).routes() + LogApi(context).routes()
    routes += DoctorApi(context).routes()
    routes += Quotas(context).routes() + SwitchApi(context).routes() + UnderlayApi(context).routes()
    routes += Versions(_words(handlers)).routes() + _identity_routes(context, auth)
    return Starlette(
        routes=[Shelves([*routes, *more])],
        middleware=[Middleware(RequestIdentity, clock=clock, finished=finished)],
        exception_handlers={
            ApiError: _refused,
            PoolExhausted: _exhausted,
            StoreUnavailable: _unavailable,
            Unauthorized: _unauthorized,
            HTTPException: _http_error,
            ClientDisconnect: _gone,
            Exception: _failed,
        },
    )


def resources() -> list[Resource[Any]]:
    """Every resource with its rules."""
    return [
        Networks(),
        Subnets(),
        Ports(),
        SecurityGroups(),
        SecurityGroupRules(),
        Segments(),
        Sites(),
        Hosts(),
        TransitSwitches(),
        Links(),
        Bindings(),
        Moves(),
        Machines(),
        Procedures(),
        Replicas(),
    ]


def _identity_routes(context: Context, auth: Authenticator) -> list[Route]:
    """Users and projects whoever asks; tokens only where they are what requests carry."""
    passwords = auth.passwords if isinstance(auth, IdentityAuthentication) else PasswordChecker()
    home = auth.home if isinstance(auth, NoAuthentication) else _nobody_without_login
    access = Access(context, passwords, home)
    found = Projects(access).routes() + Users(access).routes() + Roles(access).routes() + Discovery().routes()
    if isinstance(auth, IdentityAuthentication) and auth.issues_tokens:
        found += TokenApi(access, auth).routes()
    return found


def _nobody_without_login(_: Reader) -> Project | None:
    return None


def _words(handlers: list[ResourceHandler]) -> list[tuple[str, str, str]]:
    return [(each.resource.kind, each.resource.collection, each.resource.location) for each in handlers]


async def _refused(_: Request, reason: Exception) -> Response:
    assert isinstance(reason, ApiError)
    return json_response(reason.body(), reason.status)


async def _exhausted(_: Request, reason: Exception) -> Response:
    error = Conflict("NoMoreIdentifiers", str(reason))
    return json_response(error.body(), error.status)


async def _unavailable(_: Request, reason: Exception) -> Response:
    error = ApiError(HTTPStatus.SERVICE_UNAVAILABLE, "ServiceUnavailable", str(reason))
    return json_response(error.body(), error.status)


async def _unauthorized(_: Request, reason: Exception) -> Response:
    assert isinstance(reason, Unauthorized)
    return json_response(reason.body(), HTTPStatus.UNAUTHORIZED, {"WWW-Authenticate": reason.challenge})


async def _http_error(_: Request, reason: Exception) -> Response:
    assert isinstance(reason, HTTPException)
    status = HTTPStatus(reason.status_code)
    error = ApiError(
        status, f"HTTP{status.phrase.title().replace(' ', '')}", "The resource could not be found."
    )
    if status is not HTTPStatus.NOT_FOUND:
        error = ApiError(status, f"HTTP{status.phrase.title().replace(' ', '')}", str(reason.detail))
    return json_response(error.body(), status)


async def _gone(_: Request, __: Exception) -> Response:
    return Response(status_code=HTTPStatus.BAD_REQUEST)  # nobody hears it


async def _failed(request: Request, _: Exception) -> Response:
    message = "Request Failed: internal server error while processing your request."
    error = ApiError(HTTPStatus.INTERNAL_SERVER_ERROR, "HTTPInternalServerError", message)
    return json_response(error.body(), error.status, {HEADER: request_id(request)})
