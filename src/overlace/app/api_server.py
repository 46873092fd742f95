"""The HTTP server of the API, which ends when it is told to and leaves signals to `run`."""

import asyncio
import signal
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
import uvicorn
from starlette.applications import Starlette

from overlace.app.failures import StartFailure
from overlace.app.http_protocol import BoundedHttp
from overlace.app.listening import listening_socket, named
from overlace.app.readiness import READY, STOPPING, tell_manager
from overlace.app.settings import ControllerSettings, is_loopback

log = structlog.get_logger(__name__)

_PATIENCE = 1
"""Seconds that requests under way have when the controller stops."""


class ApiServer(uvicorn.Server):
    """Serves until SIGTERM or SIGINT."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """uvicorn's own would raise the signal again afterwards, and the process would not end as a success."""
        loop = asyncio.get_running_loop()
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(each, self._stop, each.name)
        try:
            yield
        finally:
            for each in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(each)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """From here on requests are answered, which is what a service manager waits for."""
        await super().startup(sockets)
        tell_manager(READY)

    def _stop(self, name: str) -> None:
        log.info("controller stops", signal=name)
        tell_manager(STOPPING)
        self.should_exit = True


async def serve_api(application: Starlette, settings: ControllerSettings) -> None:
    """Serve the API until a signal ends it. Raises StartFailure."""
    where = f"{settings.api_address} port {settings.api_port}"
    with named("the API", where, "--api-port"):
        opened = listening_socket(settings.api_address, settings.api_port)
    with opened:
        try:
            server = ApiServer(_configuration(application, settings))
            server.config.load()
        except (ssl.SSLError, OSError) as error:
            cure = "give certificate and unencrypted key of one pair as PEM files"
            raise StartFailure(f"the API's certificate or key cannot be used ({error}): {cure}") from error
        if settings.api_without_tls and not is_loopback(settings.api_address):
            log.warning("api served without tls", address=where, because=settings.api_without_tls)
        log.info("controller serves", api=where, auth=settings.auth.value, tls=server.config.is_ssl)
        await server.serve(sockets=[opened])


def _configuration(application: Starlette, settings: ControllerSettings) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        http=BoundedHttp,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=_PATIENCE,
        ssl_certfile=settings.api_certificate,
        ssl_keyfile=settings.api_key,
    )
