"""Given a real QEMU whose guest counts, when it is moved, then it counts on at the other host, whatever the mode."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.orchestration.cloud import Cloud, cloud, move
from tests.orchestration.qemu import Guests, guests

from overlace.model.machine import Driver
from overlace.model.procedure import Mode, ProcedureState, Step
from overlace.orchestration.migrator import Errand
from overlace.orchestration.orchestrator import Orchestrator
from overlace.orchestration.qmp.migrator import QmpMigrator
from overlace.orchestration.sight import Guest, Transfer


@asynccontextmanager
async def real(
    path: Path,
    disk: int = 0,
    fill: Callable[[Guests], object] = lambda _: None,
    golden: Path | None = None,
    second: int = 0,
) -> AsyncIterator[tuple[Cloud, Guests, asyncio.TaskGroup]]:
    """A guest that runs on h1."""
    async with (
        cloud(path) as red,
        guests(path, disk, golden, second) as guest,
        asyncio.TaskGroup() as tasks,
    ):
        fill(guest)
        await guest.start("web", "h1")
        await counts(guest, "h1", tasks)
        yield red, guest, tasks


def controller(red: Cloud, guest: Guests, tasks: asyncio.TaskGroup) -> Orchestrator:
    migrators = {Driver.QMP: QmpMigrator(guest, tasks)}
    return Orchestrator(lambda: red.store.snapshot, red.transact, migrators, red.clock, proof=0.0)


async def counts(guest: Guests, host: str, tasks: asyncio.TaskGroup) -> bool:
    """Wait until it does."""
    before = await guest.count("web", host, tasks)
    async with asyncio.timeout(30):
        while await guest.count("web", host, tasks) == before:  # noqa: ASYNC110 - memory tells when asked
            await asyncio.sleep(0.02)
    return True


@pytest.mark.parametrize("mode", [Mode.PRE_COPY, Mode.MULTIFD, Mode.POST_COPY, Mode.AUTO])
async def test_a_guest_counts_on_at_the_other_host(tmp_path: Path, mode: Mode) -> None:
    async with real(tmp_path) as (red, guest, tasks):
        await red.ask(move(mode=mode))
        await red.serve(red.ended("move-web"), controller(red, guest, tasks))
        done = red.procedure("move-web")
        assert (done.state, done.trigger) == (ProcedureState.DONE, "pre-switchover"), done.reason
        assert done.copied_bytes > 100_000
        assert done.stop_ms > 0
        assert list(guest.processes) == [("web", "h2")]
        assert await counts(guest, "h2", tasks)
        assert red.active("web") == "h2"


async def test_the_ports_are_active_over_there_before_the_guest_goes_on(tmp_path: Path) -> None:
    async with real(tmp_path) as (red, guest, tasks):
        await red.ask(move(mode=Mode.PRE_COPY))
        await red.serve(
            lambda: red.procedure("move-web").step is Step.SWITCHING, controller(red, guest, tasks)
        )
        assert red.active("web") == "h2"
        async with QmpMigrator(guest, tasks).open(Errand("web", "h1", "h2")) as migration:
            seen = await migration.look()
            assert (seen.source, seen.destination, seen.transfer) == (
                Guest.STILL,
                Guest.INCOMING,
                Transfer.READY,
            )
        # and that controller was killed there: the next one goes on
        await red.serve(red.ended("move-web"), controller(red, guest, tasks))
        assert red.procedure("move-web").state is ProcedureState.DONE
        assert await counts(guest, "h2", tasks)


async def test_a_guest_that_writes_faster_than_the_way_carries_follows_by_post_copy(tmp_path: Path) -> None:
    async with real(tmp_path) as (red, guest, tasks):
        await red.ask(move(mode=Mode.AUTO, bandwidth_mbit=4))
        await red.serve(red.ended("move-web"), controller(red, guest, tasks))
        assert red.procedure("move-web").state is ProcedureState.DONE
        assert await counts(guest, "h2", tasks)


async def test_the_same_by_pre_copy_never_ends_tells_its_progress_and_can_be_aborted(tmp_path: Path) -> None:
    async with real(tmp_path) as (red, guest, tasks):
        serving = controller(red, guest, tasks)

        def under_way() -> bool:
            progress = serving.progress("move-web")
            return progress is not None and progress.percent > 0

        await red.ask(move(mode=Mode.PRE_COPY, bandwidth_mbit=4))
        await red.serve(under_way, serving)
        assert red.procedure("move-web").step is Step.TRANSFERRING
        await red.abort("move-web")
        await red.serve(red.ended("move-web"), controller(red, guest, tasks))
        assert red.procedure("move-web").state is ProcedureState.ABORTED
        assert list(guest.processes) == [("web", "h1")]
        assert await counts(guest, "h1", tasks)
        assert red.bindings("web") == {"h1": "active"}


async def test_an_abort_at_the_switch_over_lets_the_guest_go_on_at_the_source(tmp_path: Path) -> None:
    async with real(tmp_path) as (red, guest, tasks):
        await red.ask(move(mode=Mode.PRE_COPY))
        await red.serve(
            lambda: red.procedure("move-web").step is Step.SWITCHING, controller(red, guest, tasks)
        )
        await guest.remove("web", "h2")  # the destination's host has a fault just now
        await red.serve(red.ended("move-web"), controller(red, guest, tasks))
        assert red.procedure("move-web").state is ProcedureState.FAILED
        assert red.bindings("web") == {"h1": "active"}
        assert await counts(guest, "h1", tasks)


async def test_a_guest_that_is_lost_after_the_switch_over_goes_on_from_the_memory_at_the_source(
    tmp_path: Path,
) -> None:
    async with real(tmp_path) as (red, guest, tasks):
        await red.ask(move(mode=Mode.PRE_COPY))
        await red.serve(
            lambda: red.procedure("move-web").step is Step.FINISHING, controller(red, guest, tasks)
        )
        await guest.remove("web", "h2")
        await red.serve(red.ended("move-web"), controller(red, guest, tasks))
        assert red.procedure("move-web").state is ProcedureState.FAILED
        assert red.bindings("web") == {"h1": "active"}
        assert await counts(guest, "h1", tasks)


async def test_what_the_destination_refuses_is_the_reason(tmp_path: Path) -> None:
    async with real(tmp_path) as (red, guest, tasks):
        guest.refuse.add("receive")
        await red.ask(move())
        await red.serve(red.ended("move-web"), controller(red, guest, tasks))
        assert red.procedure("move-web").reason == "no room at h2"
        assert await counts(guest, "h1", tasks)
