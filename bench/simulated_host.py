"""A simulated host: an OpenFlow switch and its database, both over real sockets, in one event loop with hundreds.

Each parses every message that it is sent down to the last action, applies it, acknowledges, and counts. What it
does not do is forward packets.
"""

import asyncio
import time
from typing import Any

from bench.simulated_database import SimulatedDatabase
from tests.southbound.fake_switch import FakeSwitch

from overlace.wire.openflow.messages import BundleControl

_RETRY = 0.5


class SimulatedSwitch(FakeSwitch):
    """Remembers when it last committed a bundle; keeps no log of messages."""

    def __init__(self, datapath_id: int) -> None:
        super().__init__(datapath_id)
        self.commits = 0
        self.committed_at = 0.0
        self.watch: asyncio.Queue[SimulatedSwitch] | None = None
        """Who is told of every commit."""

    def _commit(self, xid: int, message: BundleControl) -> bool:
        done = super()._commit(xid, message)
        self.commits += 1
        self.committed_at = time.perf_counter()
        self.received.clear()
        if self.watch is not None:
            self.watch.put_nowait(self)
        return done


class SimulatedHost:
    """`number` from 0; its name, datapath id and tunnel address follow from it."""

    def __init__(self, number: int, bridge: str, schema: Any) -> None:
        self.name = f"sim{number}"
        self.address = f"10.{number >> 16 & 0xFF}.{number >> 8 & 0xFF}.{number & 0xFF}"
        datapath_id = 0xBE << 40 | number + 1
        self.switch = SimulatedSwitch(datapath_id)
        self.database = SimulatedDatabase(self.name, bridge, datapath_id, schema)
        self._interfaces = 0

    async def connect(self, address: str, openflow_port: int, ovsdb_port: int) -> None:
        """Connect both channels to a controller, again and again until it takes the host's database."""
        while not self.database.monitored:
            await self.database.connect(address, ovsdb_port)
            await asyncio.sleep(_RETRY)
        await self.switch.connect(openflow_port, address)

    def plug(self, port_id: str) -> None:
        """The port's interface appears."""
        self._interfaces += 1
        self.database.plug(f"tap{self._interfaces}", port_id, self._interfaces)
