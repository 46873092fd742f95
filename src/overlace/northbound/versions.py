"""Version documents: what clients read before anything else, without authentication.

Identity clients look for ``version`` and the public conformance suite for ``resources`` at the same address;
one document has both.
"""

from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from overlace.northbound.body import json_response


class Versions:
    """Serves ``/`` and ``/v2.0``."""

    def __init__(self, resources: Iterable[tuple[str, str, str]]) -> None:
        """`resources`: (member, collection, path below /v2.0/)."""
        self._resources = list(resources)

    def routes(self) -> list[Route]:
        """The root, and the version with and without a slash."""
        return [
            Route("/", self.root, methods=["GET"]),
            Route("/v2.0", self.version, methods=["GET"]),
            Route("/v2.0/", self.version, methods=["GET"]),
        ]

    async def root(self, request: Request) -> Response:
        """All versions: one."""
        return json_response({"versions": [_version(request)]})

    async def version(self, request: Request) -> Response:
        """The version with its resources."""
        base = _base(request)
        resources = [
            {"name": name, "collection": collection, "links": [_self_link(f"{base}/v2.0/{path}")]}
            for name, collection, path in self._resources
        ]
        return json_response({"version": _version(request), "resources": resources})


def _base(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"


def _self_link(href: str) -> dict[str, str]:
    return {"rel": "self", "href": href}


def _version(request: Request) -> dict[str, object]:
    return {"id": "v2.0", "status": "CURRENT", "links": [_self_link(f"{_base(request)}/v2.0/")]}
