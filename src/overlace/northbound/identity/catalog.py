"""Version documents and the service catalogue."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from overlace.northbound.body import json_response
from overlace.northbound.identity.access import PREFIX, base_url, links

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

    def routes(self) -> list[BaseRoute]:
        """All without authentication: they say only what every catalogue says."""
        return [
            Route("/identity", self.versions, methods=["GET"]),
            Route("/identity/", self.versions, methods=["GET"]),
            Route(PREFIX, self.version, methods=["GET"]),
            Route(PREFIX + "/", self.version, methods=["GET"]),
            Route(PREFIX + "/services", self.services, methods=["GET"]),
            Route(PREFIX + "/endpoints", self.endpoints, methods=["GET"]),
            Route(PREFIX + "/regions", self.regions, methods=["GET"]),
        ]

    async def versions(self, request: Request) -> Response:
        """All versions: one."""
        return json_response({"versions": {"values": [_version(request)]}})

    async def version(self, request: Request) -> Response:
        """The version."""
        return json_response({"version": _version(request)})

    async def services(self, request: Request) -> Response:
        """What the catalogue lists."""
        shown = [
            {"id": each["id"], "type": each["type"], "name": each["name"], "enabled": True}
            for each in catalog(request)
        ]
        return json_response({"services": shown, "links": links(request, "services")})

    async def endpoints(self, request: Request) -> Response:
        """Where."""
        shown = [
            {**endpoint, "service_id": service["id"], "enabled": True}
            for service in catalog(request)
            for endpoint in service["endpoints"]
        ]
        return json_response({"endpoints": shown, "links": links(request, "endpoints")})

    async def regions(self, request: Request) -> Response:
        """One."""
        region = {"id": REGION, "description": "", "parent_region_id": None}
        return json_response({"regions": [region], "links": links(request, "regions")})


def _version(request: Request) -> dict[str, Any]:
    return {
        "id": "v3.14",
        "status": "stable",
        "updated": "2020-04-07T00:00:00Z",
        "links": [{"rel": "self", "href": f"{base_url(request)}{PREFIX}/"}],
        "media-types": [{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}],
    }
