"""/metrics, on the API's own port: for this machine without asking, for others as administrators."""

from ipaddress import ip_address

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from overlace.northbound.auth.caller import Authenticator
from overlace.northbound.errors import Forbidden


def metrics_route(registry: CollectorRegistry, authenticator: Authenticator) -> Route:
    """The route that serves the registry."""

    async def metrics(request: Request) -> Response:
        if not _is_local(request) and not (await authenticator.authenticate(request)).is_admin:
            raise Forbidden("(rule:get_metrics)")
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return Route("/metrics", metrics, methods=["GET"])


def _is_local(request: Request) -> bool:
    try:
        return request.client is not None and ip_address(request.client.host).is_loopback
    except ValueError:
        return False
