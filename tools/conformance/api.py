"""The networking API with identity authentication on a store of its own: `api DATABASE PORT`."""

import asyncio
import os
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import cast

import uvicorn

from overlace.app.clock import SystemClock
from overlace.northbound import intents
from overlace.northbound.application import create_application
from overlace.northbound.auth.bootstrap import bootstrap
from overlace.northbound.auth.identity import IdentityAuthentication
from overlace.northbound.views import Views
from overlace.store.store import Store


class NoHosts:
    """Views of a cloud in which no host has ever connected."""

    def port_status(self, _: str) -> str:
        """No port is bound."""
        return "DOWN"

    def host_alive(self, _: str) -> bool:
        """None is."""
        return False

    def host_heartbeat(self, _: str) -> datetime | None:
        """Never."""
        return None

    def status(self) -> Mapping[str, object]:
        """Nothing to say."""
        return {}

    def port_realisation(self, _: str) -> Mapping[str, object]:
        """Nothing to say."""
        return {}

    async def trace(self, request: Mapping[str, object]) -> Mapping[str, object]:
        """Raises ValueError: there is no switch."""
        raise ValueError(f"no switch to trace {request} in")


async def main(database: Path, port: int, password: str) -> None:
    """Serve until killed."""
    clock = SystemClock()
    store = cast("intents.Store", await Store.open(database, clock))
    await bootstrap(store, password)
    world = NoHosts()
    authentication = IdentityAuthentication(store, clock)
    application = create_application(store, Views(world, world, world, world), authentication, clock)
    config = uvicorn.Config(application, "127.0.0.1", port, log_level="warning", access_log=False)
    await uvicorn.Server(config).serve()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), os.environ["OVERLACE_PASSWORD"]))
