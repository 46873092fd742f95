"""What is due because time has passed: old hosts stop redirecting, numbers stop resting."""

import asyncio
from collections.abc import Mapping
from functools import partial

import structlog

from overlace.engine.attachments import Attachments
from overlace.engine.engine import Engine
from overlace.engine.quarantine import Number, Quarantine, address_number
from overlace.kit.clock import Clock
from overlace.model.port import RestingAddress
from overlace.model.site import Host, TransitSwitch
from overlace.store.errors import StoreUnavailable
from overlace.store.store import Store
from overlace.store.transaction import Transaction

log = structlog.get_logger(__name__)

INTERVAL = 5.0
"""Seconds between looks."""
_TOGETHER = 100
"""Numbers that are free again in one transaction: some milliseconds."""


async def chores(store: Store, engine: Engine, attachments: Attachments, clock: Clock) -> None:
    """Do them until cancelled."""
    quarantine = Quarantine()
    while True:
        await asyncio.sleep(INTERVAL)
        try:
            await attachments.expire(clock.now())
            await end_quarantine(store, engine, quarantine, clock.monotonic())
        except StoreUnavailable as reason:
            log.warning("chores put off", reason=str(reason))


async def end_quarantine(store: Store, engine: Engine, quarantine: Quarantine, now: float) -> None:
    """Free the numbers that no switch can act on any more. Raises StoreUnavailable."""
    if engine.compiled != store.snapshot.revision:
        return  # the newest plans may still hold what was given back a moment ago
    switches = engine.realisation.switches
    snapshot = store.snapshot
    addresses = {address_number(each): each.id for each in snapshot.all(RestingAddress)}
    quarantine.look((*store.allocations.quarantined(), *addresses), switches, now)
    registered = {host.id for host in snapshot.all(Host)} | {each.id for each in snapshot.all(TransitSwitch)}
    free = quarantine.over(switches, registered, now)
    for start in range(0, len(free), _TOGETHER):  # others' changes go in between
        some = free[start : start + _TOGETHER]
        await store.transact(
            partial(_free, numbers=some, addresses=addresses), actor="overlace", source="quarantine over"
        )


def _free(transaction: Transaction, numbers: list[Number], addresses: Mapping[Number, str]) -> None:
    for number in numbers:
        if number not in addresses:
            transaction.end_quarantine(*number)
            continue
        rests = transaction.get(RestingAddress, addresses[number])
        if rests is not None and address_number(rests) == number:  # not another rest of it by now
            transaction.delete(RestingAddress, rests.id)
