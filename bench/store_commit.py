"""`bench/store_commit.py [DIRECTORY]`: how long a commit takes, how many fit in a second, how fast a start is.

The directory decides the disk: by default a temporary one. Prints one line a figure.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from ipaddress import ip_address
from pathlib import Path

from overlace.app.clock import SystemClock
from overlace.kit.addresses import Mac
from overlace.model.port import FixedIp, Port
from overlace.store.store import Store
from overlace.store.transaction import Transaction

SINGLE = 2_000
TOGETHER = 20_000
PORTS = 100_000
PORTS_AT_ONCE = 1_000
FIRST_ADDRESS = ip_address("10.0.0.0")


def create_port(tx: Transaction) -> None:
    """What `port create` writes, less the checks."""
    key = tx.allocate("port_key")
    tx.put(
        Port(
            id=f"00000000-0000-0000-0000-{key:012x}",
            project_id="red",
            network_id=f"network-{key % 1000}",
            name=f"port {key}",
            mac_address=Mac(0xFA163E000000 + key),
            fixed_ips=(FixedIp(f"subnet-{key % 1000}", FIRST_ADDRESS + key),),
            security_groups=("default",),
            key=key,
        )
    )


def create_ports(tx: Transaction) -> None:
    """Many in one transaction."""
    for _ in range(PORTS_AT_ONCE):
        create_port(tx)


async def one_after_another(store: Store) -> None:
    """Each waits for the one before."""
    spent = []
    for _ in range(SINGLE):
        begin = time.perf_counter()
        await store.transact(create_port, actor="bench")
        spent.append((time.perf_counter() - begin) * 1e3)
    cuts = statistics.quantiles(spent, n=100)
    print(f"single commit    p50 {cuts[49]:.2f} ms  p95 {cuts[94]:.2f} ms  p99 {cuts[98]:.2f} ms  n {SINGLE}")


async def all_together(store: Store) -> None:
    """All wait at once, and share the syncing."""
    begin = time.perf_counter()
    await asyncio.gather(*(store.transact(create_port, actor="bench") for _ in range(TOGETHER)))
    print(f"group commit     {TOGETHER / (time.perf_counter() - begin):,.0f} transactions a second")


async def fill_and_start(store: Store, path: Path) -> None:
    """A controller's start with many ports."""
    while store.snapshot.count(Port) < PORTS:
        await store.transact(create_ports, actor="bench")
    await store.close()
    begin = time.perf_counter()
    again = await Store.open(path, SystemClock())
    print(f"start            {time.perf_counter() - begin:.2f} s with {again.snapshot.count(Port):,} ports")
    await again.close()


async def main(directory: Path) -> None:
    """All three, in one database."""
    path = directory / "overlace.db"
    store = await Store.open(path, SystemClock())
    await one_after_another(store)
    await all_together(store)
    await fill_and_start(store, path)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if sys.argv[1:] else None) as scratch:
        asyncio.run(main(Path(scratch)))
