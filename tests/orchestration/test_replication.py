"""Given a guest with a disk of its own and a replica of it at another host, then the replica is, at every moment, the
disk as it was at the moment of a whole round, however suddenly anybody ends."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.orchestration.cloud import Cloud, move
from tests.orchestration.qemu import Guests
from tests.orchestration.test_disks import cut, fill, leftovers, write
from tests.orchestration.test_qmp import controller, counts, real
from tests.orchestration.world import Killed

from overlace.model.machine import Driver
from overlace.model.procedure import Mode, ProcedureKind, ProcedureState, Step
from overlace.model.replica import Replica, ReplicaState
from overlace.orchestration.qmp.monitor import Monitor
from overlace.orchestration.qmp.replication import QmpReplicating
from overlace.orchestration.replication.replicator import Replicator

SIZE = 64 << 20
KILLED_AT = (70, 8, 20, 30, 40, 50, 60)
"""Before which of its commands to QEMUs a controller is killed: the first ones while the disk is seeded."""


def replicator(red: Cloud, guest: Guests, tasks: asyncio.TaskGroup) -> Replicator:
    drivers = {Driver.QMP: QmpReplicating(guest, tasks)}
    return Replicator(lambda: red.store.snapshot, red.transact, drivers, red.clock)


def replica_of(red: Cloud) -> Replica:
    found = red.store.snapshot.get(Replica, "web")
    assert found is not None
    return found


def whole(red: Cloud, rounds: int) -> Callable[[], bool]:
    def reached() -> bool:
        found = replica_of(red)
        return found.whole >= rounds and found.state is ReplicaState.RESTING

    return reached


async def replicate(red: Cloud, **more: Any) -> None:
    wanted = Replica(id="web", project_id="red", host_id="h2", every=60, **more)
    await red.store.transact(lambda tx: tx.put(wanted), actor="alice")


async def stop(red: Cloud) -> None:
    await red.store.transact(lambda tx: tx.put(replace(replica_of(red), ending=True)), actor="alice")


@asynccontextmanager
async def kept(path: Path, **more: Any) -> AsyncIterator[tuple[Cloud, Guests, asyncio.TaskGroup]]:
    """A guest whose replica at h2 has come through its first round."""
    async with real(path, disk=SIZE, fill=fill) as (red, guest, tasks):
        await replicate(red, **more)
        await red.serve(whole(red, 1), replicator(red, guest, tasks))
        yield red, guest, tasks


def disk(guest: Guests, host: str) -> bytes:
    return guest.path("web", host, "disk.img").read_bytes()


async def test_round_after_round_the_replica_is_the_disk(tmp_path: Path) -> None:
    async with kept(tmp_path) as (red, guest, tasks):
        assert disk(guest, "h2") == disk(guest, "h1")
        assert replica_of(red).as_of == red.clock.now()
        await write(guest, tasks, "h1", "write -P 0x5a 5M 128k")
        red.clock.advance(31)
        await red.serve(whole(red, 2), replicator(red, guest, tasks))
        assert disk(guest, "h2") == disk(guest, "h1")
        assert 0 < replica_of(red).sent_bytes <= 1 << 20
        assert await counts(guest, "h1", tasks)
        await stop(red)
        await red.serve(lambda: not list(red.store.snapshot.all(Replica)), replicator(red, guest, tasks))
        assert not guest.keepers
        assert not guest.path("web", "h2", "disk.img").exists()
        assert await leftovers(guest, tasks, "h1") == []


async def test_what_is_written_during_a_round_is_in_the_next(tmp_path: Path) -> None:
    async with kept(tmp_path) as (red, guest, tasks):
        await write(guest, tasks, "h1", "write -P 0x5a 0 4M")
        red.clock.advance(31)
        await bound(red, mbit=16)
        await copies(red, replicator(red, guest, tasks))
        at_the_moment = disk(guest, "h1")
        await write(guest, tasks, "h1", "write -P 0xa5 2M 2M")
        await write(guest, tasks, "h1", "write -P 0xa5 50M 64k")
        await bound(red, mbit=0)
        await red.serve(whole(red, 2), replicator(red, guest, tasks))
        assert disk(guest, "h2") == at_the_moment
        red.clock.advance(31)
        await red.serve(whole(red, 3), replicator(red, guest, tasks))
        assert disk(guest, "h2") == disk(guest, "h1")


async def test_a_keeper_that_ends_in_the_middle_of_a_round_has_the_last_whole_one(tmp_path: Path) -> None:
    async with kept(tmp_path) as (red, guest, tasks):
        before = disk(guest, "h1")
        await write(guest, tasks, "h1", "write -P 0x5a 0 4M")
        red.clock.advance(31)
        await bound(red, mbit=16)
        await copies(red, replicator(red, guest, tasks))
        await guest.let_go("web", "h2")
        assert disk(guest, "h2") == before
        await bound(red, mbit=0)
        await red.serve(whole(red, 2), replicator(red, guest, tasks))
        assert disk(guest, "h2") == disk(guest, "h1")


async def test_a_keeper_that_ends_while_a_round_is_merged_is_followed_by_one_that_merges(
    tmp_path: Path,
) -> None:
    async with kept(tmp_path) as (red, guest, tasks):
        await write(guest, tasks, "h1", "write -P 0x5a 0 4M")
        red.clock.advance(31)
        await red.serve(lambda: replica_of(red).state is ReplicaState.MERGING, replicator(red, guest, tasks))
        await guest.let_go("web", "h2")
        await guest.remove_machine("web", "h1")  # and its host is dead: nobody else has what was written
        await red.serve(whole(red, 2), replicator(red, guest, tasks))
        assert disk(guest, "h2") == disk(guest, "h1")


async def test_a_cut_way_hurts_no_write_of_the_guest_and_the_seed_goes_on_where_it_was(
    tmp_path: Path,
) -> None:
    async with real(tmp_path, disk=SIZE, fill=fill) as (red, guest, tasks):
        await replicate(red, bandwidth_mbit=160)
        serving = replicator(red, guest, tasks)

        def half() -> bool:
            progress = serving.progress("web")
            return progress is not None and 20 < progress.percent < 90

        await red.serve(half, serving)
        await cut(tasks, await guest.hold("web", "h2"), "ol-layer-disk0")
        await write(guest, tasks, "h1", "write -P 0x5a 1M 1M")
        await red.serve(whole(red, 1), replicator(red, guest, tasks))
        assert replica_of(red).round == 1
        assert disk(guest, "h2") == disk(guest, "h1")


async def test_controllers_killed_at_any_moment_are_followed_by_one_that_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute = Monitor.execute
    async with real(tmp_path, disk=SIZE, fill=fill) as (red, guest, tasks):
        await replicate(red)
        killed = 0
        for turn, commands in enumerate(KILLED_AT):
            left = [commands]

            async def until_killed(
                monitor: Monitor, command: str, _left: list[int] = left, **arguments: Any
            ) -> Any:
                _left[0] -= 1
                if _left[0] == 0:
                    raise Killed
                return await execute(monitor, command, **arguments)

            await write(guest, tasks, "h1", f"write -P {turn + 1} {turn}M 1M")
            red.clock.advance(31)
            rounds = replica_of(red).whole + 1
            with monkeypatch.context() as patch, suppress(Killed):
                patch.setattr(Monitor, "execute", until_killed)
                await red.serve(whole(red, rounds), replicator(red, guest, tasks))
            killed += left[0] <= 0
            red.clock.advance(31)
            await red.serve(whole(red, replica_of(red).whole + 1), replicator(red, guest, tasks))
            assert disk(guest, "h2") == disk(guest, "h1"), commands
        assert killed == len(KILLED_AT)


async def test_a_move_to_the_replica_brings_what_is_missing_only(tmp_path: Path) -> None:
    async with kept(tmp_path) as (red, guest, tasks):
        await write(guest, tasks, "h1", "write -P 0x5a 5M 6M")
        before = disk(guest, "h1")
        await red.ask(move(with_disks=True, mode=Mode.PRE_COPY, verify=True))
        await red.serve(red.ended("move-web"), controller(red, guest, tasks))
        done = red.procedure("move-web")
        assert done.state is ProcedureState.DONE, done.reason
        assert (done.verified, done.verified_bytes) == ("SHA-256", SIZE)
        assert 6 << 20 <= done.disk_bytes < 8 << 20
        assert disk(guest, "h2") == before
        assert list(red.store.snapshot.all(Replica)) == []
        assert await leftovers(guest, tasks, "h2") == []


async def test_a_move_to_the_replica_that_is_given_up_leaves_one_that_is_copied_anew(tmp_path: Path) -> None:
    async with kept(tmp_path) as (red, guest, tasks):
        await red.ask(move(with_disks=True, mode=Mode.PRE_COPY))
        await red.serve(lambda: red.procedure("move-web").step is Step.COPYING, controller(red, guest, tasks))
        assert replica_of(red).taken
        await red.abort("move-web")
        await red.serve(red.ended("move-web"), controller(red, guest, tasks))
        assert (replica_of(red).as_of, replica_of(red).taken) == (None, False)
        await red.serve(whole(red, 2), replicator(red, guest, tasks))
        assert disk(guest, "h2") == disk(guest, "h1")


async def test_a_machine_whose_host_is_dead_starts_on_its_replica(tmp_path: Path) -> None:
    async with kept(tmp_path) as (red, guest, tasks):
        before, as_of = disk(guest, "h1"), replica_of(red).as_of
        await write(guest, tasks, "h1", "write -P 0x5a 0 4M")
        await guest.remove_machine("web", "h1")
        red.clock.advance(20)
        await red.ask(move(kind=ProcedureKind.RESCUE, started_at=red.clock.now()))
        await red.serve(red.ended("move-web"), controller(red, guest, tasks))
        assert red.procedure("move-web").state is ProcedureState.DONE
        assert red.procedure("move-web").data_as_of == as_of
        assert await counts(guest, "h2", tasks)
        assert disk(guest, "h2") == before
        assert list(red.store.snapshot.all(Replica)) == []


async def test_a_round_is_compared_where_somebody_wants_that_and_a_difference_is_found_and_mended(
    tmp_path: Path,
) -> None:
    async with kept(tmp_path) as (red, guest, tasks):
        await write(guest, tasks, "h1", "write -P 0x5a 5M 1M")
        await verify(red)
        await red.serve(whole(red, 2), replicator(red, guest, tasks))
        assert (replica_of(red).verify, replica_of(red).verified) == (False, replica_of(red).as_of)
        with guest.path("web", "h2", "disk.img").open("r+b") as file:  # as a storage that rots
            file.seek(20 << 20)
            file.write(b"x")
        await verify(red)
        serving = replicator(red, guest, tasks)
        await red.serve(lambda: replica_of(red).whole == 0, serving)
        assert (replica_of(red).verify, replica_of(red).verified) == (False, None)
        await red.serve(whole(red, 3), replicator(red, guest, tasks))
        assert disk(guest, "h2") == disk(guest, "h1")
        assert await counts(guest, "h1", tasks)


async def verify(red: Cloud) -> None:
    wanted = replace(replica_of(red), verify=True)
    await red.store.transact(lambda tx: tx.put(wanted), actor="alice")


async def bound(red: Cloud, mbit: int) -> None:
    limited = replace(replica_of(red), bandwidth_mbit=mbit)
    await red.store.transact(lambda tx: tx.put(limited), actor="alice")


async def copies(red: Cloud, serving: Replicator) -> None:
    """Until the moment of the round has come, and something of it is over there."""

    def begun() -> bool:
        progress = serving.progress("web")
        sending = replica_of(red).state is ReplicaState.SENDING
        return sending and progress is not None and 0 < progress.percent < 100

    await red.serve(begun, serving)
