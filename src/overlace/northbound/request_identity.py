"""Gives every request an id, says it in every answer and log line, and tells how requests end."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from overlace.kit.clock import Clock

log = structlog.get_logger(__name__)

HEADER = "x-openstack-request-id"
_WRITES = ("POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True, slots=True)
class Finished:
    """A request that was answered; `route` is its path with names for what differs from request to request."""

    method: str
    route: str
    status: int
    seconds: float


class RequestIdentity:
    """ASGI middleware: ``scope["overlace.request_id"]``, the response header, and `finished` after each request."""

    def __init__(self, app: ASGIApp, clock: Clock, finished: Callable[[Finished], object]) -> None:
        self._app = app
        self._clock = clock
        self._finished = finished

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, with the id."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        identity = scope["overlace.request_id"] = f"req-{uuid.uuid4()}"
        start, status = self._clock.monotonic(), 500

        async def send_with_identity(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
                MutableHeaders(scope=message)[HEADER] = identity
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=identity):
            try:
                await self._app(scope, receive, send_with_identity)
            except Exception:
                log.exception("request failed", method=scope["method"], path=scope["path"])
                raise
            finally:
                seconds = self._clock.monotonic() - start
                self._tell(scope, Finished(scope["method"], route_of(scope), status, seconds))

    def _tell(self, scope: Scope, finished: Finished) -> None:
        self._finished(finished)
        tell = log.info if finished.method in _WRITES else log.debug
        milliseconds = round(finished.seconds * 1000, 1)
        tell("request", method=finished.method, path=scope["path"], status=finished.status, ms=milliseconds)


def route_of(scope: Scope) -> str:
    """The path of a request with the names of its parameters, as ``/v2.0/ports/{id}``; bounded in number."""
    if "endpoint" not in scope:
        return "unknown"
    path = str(scope["path"])
    for name, value in reversed(scope.get("path_params", {}).items()):
        before, _, after = path.rpartition(f"/{value}")
        path = f"{before}/{{{name}}}{after}"
    return path
