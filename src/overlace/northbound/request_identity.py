"""Gives every request an id, and says it in every answer."""

import uuid

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "x-openstack-request-id"


class RequestIdentity:
    """ASGI middleware: ``scope["overlace.request_id"]`` and the response header."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, with the id."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        identity = f"req-{uuid.uuid4()}"
        scope["overlace.request_id"] = identity

        async def send_with_identity(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = identity
            await send(message)

        await self._app(scope, receive, send_with_identity)
