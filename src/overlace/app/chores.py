"""What is due because time has passed: old hosts stop redirecting, numbers stop resting."""

import asyncio

import structlog

from overlace.engine.attachments import Attachments
from overlace.engine.engine import Engine
from overlace.engine.quarantine import Number, Quarantine
from overlace.kit.clock import Clock
from overlace.model.site import Host, TransitSwitch
from overlace.store.errors import StoreUnavailable
from overlace.store.store import Store
from overlace.store.transaction import Transaction

log = structlog.get_logger(__name__)

INTERVAL = 5.0
"""Seconds between looks."""


async def chores(store: Store, engine: Engine, attachments: Attachments, clock: Clock) -> None:
    """Do them until cancelled."""
    quarantine = Quarantine()
    while True:
        await asyncio.sleep(INTERVAL)
        try:
            await attachments.expire()
            await _end_quarantine(store, engine, quarantine, clock.monotonic())
        except StoreUnavailable as reason:
            log.warning("chores put off", reason=str(reason))


async def _end_quarantine(store: Store, engine: Engine, quarantine: Quarantine, now: float) -> None:
    if engine.compiled != store.snapshot.revision:
        return  # the newest plans may still hold what was given back a moment ago
    switches = engine.realisation.switches
    quarantine.look(store.allocations.quarantined(), switches, now)
    snapshot = store.snapshot
    registered = {host.id for host in snapshot.all(Host)} | {each.id for each in snapshot.all(TransitSwitch)}
    free = quarantine.over(switches, registered, now)
    if free:
        await store.transact(lambda tx: _free(tx, free), actor="overlace", source="quarantine over")


def _free(transaction: Transaction, numbers: list[Number]) -> None:
    for pool, number in numbers:
        transaction.end_quarantine(pool, number)
