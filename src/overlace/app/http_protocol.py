"""HTTP as uvicorn speaks it, with bounds: on connections, on the size of a request, and on the time it takes.

Sizes count from the chunk after the one in which a request began, so each bound is exceeded by at most one chunk of
the socket's. A refused request is told why where nothing was answered yet; its connection ends in any case.
"""

import asyncio
from http import HTTPStatus
from typing import Any

import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

log = structlog.get_logger(__name__)

MOST_CONNECTIONS = 512
MOST_HEAD = 64 * 1024
"""Bytes of a request line with its headers."""
MOST_BODY = 8 * 1024 * 1024
"""Bytes of a body with its framing: some ten thousand ports in one request."""
REQUEST_TIME = 30.0
"""Seconds from a connection, or from a request's first byte, to its last."""


class BoundedHttp(HttpToolsProtocol):
    """One connection."""

    _timer: asyncio.TimerHandle | None = None
    _size = 0
    _in_head = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """asyncio: a client is there."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            log.warning("http connection refused", peer=self.client, reason="too many connections")
            transport.abort()
            return
        self._expect_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: it is gone."""
        self._expect_nothing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """asyncio: bytes have come."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        self._size += len(data)
        if self._in_head and self._size > MOST_HEAD:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        elif self._timer is not None and self._size > MOST_BODY:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)

    def send_400_response(self, msg: str) -> None:
        """uvicorn: the bytes are no HTTP."""
        self._expect_nothing()
        super().send_400_response(msg)

    def on_message_begin(self) -> None:
        """httptools: a request begins."""
        self._size, self._in_head = 0, True
        self._expect_request()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """httptools: its headers are read."""
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """httptools: all of it is read."""
        self._expect_nothing()
        super().on_message_complete()

    def _expect_request(self) -> None:
        self._expect_nothing()
        self._timer = self.loop.call_later(REQUEST_TIME, self._refuse, HTTPStatus.REQUEST_TIMEOUT)

    def _expect_nothing(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse(self, status: HTTPStatus) -> None:
        self._expect_nothing()
        if self.transport.is_closing():
            return
        log.warning("http request refused", peer=self.client, reason=status.phrase)
        cycle: Any = self.cycle
        if cycle is None or not cycle.response_started:
            self.transport.write(
                b"HTTP/1.1 %d %b\r\nconnection: close\r\n\r\n" % (status, status.phrase.encode())
            )
        self.transport.close()
