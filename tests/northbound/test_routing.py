"""Which of many routes a request is for."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Route

from overlace.northbound.routing import Shelves


def named(name: str, path: str, *methods: str) -> Route:
    async def answer(request: Request) -> PlainTextResponse:
        return PlainTextResponse(f"{name} {dict(request.path_params)}")

    return Route(path, answer, methods=list(methods))


def routes() -> list[Route]:
    return [
        named("index", "/v2.0/ports", "GET"),
        named("create", "/v2.0/ports", "POST"),
        named("tags", "/v2.0/ports/{id}/tags", "GET"),
        named("tags of anything", "/v2.0/{collection}/{id}/tags", "PUT"),
        named("show", "/v2.0/ports/{id:path}", "GET"),
        named("networks", "/v2.0/networks", "GET"),
        named("versions", "/", "GET"),
        named("root", "/v2.0", "GET"),
        named("fallback", "/{word}", "GET"),
    ]


REQUESTS = [
    (method, path)
    for method in ("GET", "POST", "PUT", "DELETE")
    for path in (
        "/",
        "/v2.0",
        "/v2.0/",
        "/v2.0/ports",
        "/v2.0/ports/",
        "/v2.0/ports/p1",
        "/v2.0/ports/p1/tags",
        "/v2.0/ports//tags",
        "/v2.0/networks",
        "/v2.0/networks/n1/tags",
        "/v2.0/nothing",
        "/v2.0/nothing/x/tags",
        "/word",
        "/a/b/c/d",
    )
]


@pytest.mark.parametrize(("method", "path"), REQUESTS)
async def test_shelves_take_the_route_that_would_be_taken_without_them(method: str, path: str) -> None:
    async def asked(*all_routes: BaseRoute) -> tuple[int, str]:
        transport = httpx.ASGITransport(Starlette(routes=all_routes))
        async with httpx.AsyncClient(transport=transport, base_url="http://controller") as client:
            answer = await client.request(method, path)
            return answer.status_code, answer.text

    assert await asked(Shelves(routes())) == await asked(*routes())
