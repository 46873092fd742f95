"""A server with bounds: what is slow, too large or one too many ends, and the others are served."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from tests.southbound.harness import eventually

from overlace.app import http_protocol
from overlace.app.http_protocol import BoundedHttp

GOOD = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"


async def application(scope: dict[str, object], receive: object, send: object) -> None:
    """Says how long the body was."""
    request = Request(scope, receive)  # type: ignore[arg-type]
    await PlainTextResponse(f"{len(await request.body())} bytes")(scope, receive, send)  # type: ignore[arg-type]


@pytest.fixture
async def port() -> AsyncIterator[int]:
    config = uvicorn.Config(
        application, "127.0.0.1", 0, http=BoundedHttp, ws="none", lifespan="off", log_config=None
    )
    server = uvicorn.Server(config)
    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(server._serve())
        await eventually(lambda: server.started)
        yield server.servers[0].sockets[0].getsockname()[1]
        server.should_exit = True
        await serving


async def said(port: int, *pieces: bytes, close: bool = False) -> bytes:
    """All that the server answers until it ends the connection, or until the first answer with `close`."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        async with asyncio.timeout(20):
            answer = await reader.read(4096 if close else -1)
    except ConnectionResetError:
        answer = b""
    finally:
        writer.close()
    return answer


async def test_given_a_good_request_when_sent_in_pieces_then_it_is_answered(port: int) -> None:
    body = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nab"
    assert b"5 bytes" in await said(port, body[:20], body[20:], b"cde", close=True)
    assert (await said(port, GOOD * 3 + GOOD.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"))).count(
        b"0 bytes"
    ) == 4


@pytest.mark.parametrize(
    "begin", [b"", b"GET / HTTP/1.1\r\nhost: a", b"POST / HTTP/1.1\r\ncontent-length: 9\r\n\r\nab"]
)
async def test_given_a_slow_client_when_its_time_is_up_then_it_is_told_so(
    port: int, begin: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "REQUEST_TIME", 0.2)
    assert await said(port, begin) in (b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n\r\n", b"")
    assert b"0 bytes" in await said(port, GOOD, close=True)


async def test_given_endless_headers_when_they_pass_the_bound_then_refused(port: int) -> None:
    flood = [b"GET / HTTP/1.1\r\n", *[b"x: " + b"v" * 60_000 + b"\r\n"] * 40]
    assert await said(port, *flood) in (
        b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\n\r\n",
        b"",
    )


async def test_given_one_client_too_many_when_it_connects_then_those_before_are_served(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "MOST_CONNECTIONS", 1)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await asyncio.sleep(0.05)
    assert await said(port) == b""
    writer.write(GOOD)
    async with asyncio.timeout(20):
        assert b"0 bytes" in await reader.read(4096)
    writer.close()
