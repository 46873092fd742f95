"""Version documents and the service catalogue."""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from overlace.northbound.body import json_response
from overlace.northbound.identity.access import PREFIX, base_url, links
from overlace.northbound.identity.errors import not_found

REGION = "RegionOne"
_SERVICES = (("identity", "keystone", "/identity/v3"), ("network", "neutron", ""))


def catalog(request: Request) -> list[dict[str, Any]]:
    """Both services at the address the client used."""
    return [
        {
            "id": name,
            "type": kind,
            "name": name,
            "endpoints": [
                {
                    "id": f"{name}-{interface}",
                    "interface": interface,
                    "region": REGION,
                    "region_id": REGION,
                    "url": base_url(request) + path,
                }
                for interface in ("public", "internal", "admin")
            ],
        }
        for kind, name, path in _SERVICES
    ]


class Discovery:
    """Serves /identity, /identity/v3, services, endpoints and regions."""

    def routes(self) -> list[Route]:
        """All without authentication: they say only what every catalogue says."""
        return [
            Route("/identity", self.versions, methods=["GET"]),
            Route("/identity/", self.versions, methods=["GET"]),
            Route(PREFIX, self.version, methods=["GET"]),
            Route(PREFIX + "/", self.version, methods=["GET"]),
            *_collection("service", _services),
            *_collection("endpoint", _endpoints),
            *_collection("region", _regions),
        ]

    async def versions(self, request: Request) -> Response:
        """All versions: one."""
        return json_response({"versions": {"values": [_version(request)]}})

    async def version(self, request: Request) -> Response:
        """The version."""
        return json_response({"version": _version(request)})


def _collection(word: str, all_of: Callable[[Request], list[dict[str, Any]]]) -> list[Route]:
    """The routes of what is read only: a list that can be filtered by any attribute, and each member."""

    async def index(request: Request) -> Response:
        query = request.query_params
        shown = [
            each for each in all_of(request) if all(query.get(name) in (None, each[name]) for name in each)
        ]
        return json_response({f"{word}s": shown, "links": links(request, f"{word}s")})

    async def show(request: Request) -> Response:
        key = request.path_params["id"]
        for each in all_of(request):
            if each["id"] == key:
                return json_response({word: each})
        raise not_found(word, key)

    path = f"{PREFIX}/{word}s"
    return [Route(path, index, methods=["GET"]), Route(path + "/{id}", show, methods=["GET"])]


def _services(request: Request) -> list[dict[str, Any]]:
    """What the catalogue lists."""
    return [
        {"id": each["id"], "type": each["type"], "name": each["name"], "description": "", "enabled": True}
        for each in catalog(request)
    ]


def _endpoints(request: Request) -> list[dict[str, Any]]:
    """Where."""
    return [
        {**endpoint, "service_id": service["id"], "enabled": True}
        for service in catalog(request)
        for endpoint in service["endpoints"]
    ]


def _regions(_: Request) -> list[dict[str, Any]]:
    """One."""
    return [{"id": REGION, "description": "", "parent_region_id": None}]


def _version(request: Request) -> dict[str, Any]:
    return {
        "id": "v3.14",
        "status": "stable",
        "updated": "2020-04-07T00:00:00Z",
        "links": [{"rel": "self", "href": f"{base_url(request)}{PREFIX}/"}],
        "media-types": [{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}],
    }
