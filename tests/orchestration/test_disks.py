"""Given a guest whose disk is its host's own, when it moves, then the disk goes along bit by bit, and nothing is left
where it was."""

import asyncio
import os
import re
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.orchestration.cloud import move
from tests.orchestration.qemu import Guests, guests
from tests.orchestration.test_qmp import controller, counts, real
from tests.orchestration.world import Killed

from overlace.model.procedure import Mode, ProcedureState, Step
from overlace.orchestration.launcher import Place
from overlace.orchestration.migrator import MigrationFailed
from overlace.orchestration.orchestrator import Orchestrator
from overlace.orchestration.qmp.blocks import jobs_of
from overlace.orchestration.qmp.disks import DiskCopy
from overlace.orchestration.qmp.exports import FIRST_PORT
from overlace.orchestration.qmp.moment import SUFFIX
from overlace.orchestration.qmp.monitor import Monitor
from overlace.orchestration.qmp.stripes import RECONNECT
from overlace.orchestration.sight import Disks

SIZE = 64 << 20
DATA = 20 << 20
SMALL = 8 << 20


def fill(guest: Guests, host: str = "h1") -> bytes:
    """Random data in the middle of a disk that is otherwise empty."""
    data = os.urandom(DATA)
    path = guest.path("web", host, "disk.img")
    with path.open("wb") as file:
        file.truncate(SIZE)
        file.seek(16 << 20)
        file.write(data)
    return data


def content(guest: Guests, host: str) -> bytes:
    with guest.path("web", host, "disk.img").open("rb") as file:
        file.seek(16 << 20)
        return file.read(DATA)


async def write(guest: Guests, tasks: asyncio.TaskGroup, host: str, what: str, device: str = "vd0") -> None:
    """As if the guest wrote: through its own device."""
    monitor = await Monitor.connect(str(guest.path("web", host, "beside")), lambda: None, tasks)
    path = f"/machine/peripheral/{device}/virtio-backend"
    told = await monitor.execute("human-monitor-command", command_line=f'qemu-io -d {path} "{what}"')
    assert told == "", told
    await monitor.close()


async def leftovers(guest: Guests, tasks: asyncio.TaskGroup, host: str) -> list[str]:
    monitor = await Monitor.connect(guest.place("web", host).monitor, lambda: None, tasks)
    nodes = await monitor.execute("query-named-block-nodes", flat=True)
    left = [each["node-name"] for each in nodes if each["node-name"].startswith("ol-")]
    left += [bitmap["name"] for each in nodes for bitmap in each.get("dirty-bitmaps", ())]
    left += [each["id"] for each in await monitor.execute("query-jobs")]
    left += [each["id"] for each in await monitor.execute("query-block-exports")]
    await monitor.close()
    return left


async def test_the_disks_go_along_and_are_known_to_be_the_same(tmp_path: Path) -> None:
    async with real(tmp_path, disk=SIZE, fill=fill, second=SMALL) as (red, guest, tasks):
        before = content(guest, "h1")
        await write(guest, tasks, "h1", "write -P 0x5a 1M 64k", "vd1")
        await red.ask(move(with_disks=True, mode=Mode.PRE_COPY, verify=True))
        await red.serve(red.ended("move-web"), controller(red, guest, tasks))
        done = red.procedure("move-web")
        assert done.state is ProcedureState.DONE, done.reason
        assert DATA <= done.disk_bytes <= SIZE + SMALL + (4 << 20)
        assert (done.verified, done.verified_bytes, done.unverified_bytes) == ("SHA-256", SIZE + SMALL, 0)
        (receipt,) = red.receipts("web")
        assert (receipt.verified, receipt.verified_bytes, receipt.unverified) == ("SHA-256", SIZE + SMALL, "")
        assert content(guest, "h2") == before
        second = guest.path("web", "h2", "second.img").read_bytes()
        assert second[1 << 20 : (1 << 20) + 65536] == b"\x5a" * 65536
        assert not guest.path("web", "h1", "disk.img").exists()
        assert await counts(guest, "h2", tasks)
        assert await leftovers(guest, tasks, "h2") == []


async def test_a_copy_that_differs_is_found_and_named_and_the_guest_stays(tmp_path: Path) -> None:
    async with real(tmp_path, disk=SIZE, fill=fill) as (red, guest, tasks):
        await red.ask(move(with_disks=True, mode=Mode.PRE_COPY, verify=True))
        await red.serve(compares(serving := controller(red, guest, tasks)), serving)
        rotten = (20 << 20) + 5
        with guest.path("web", "h2", "disk.img").open("r+b") as file:
            file.seek(rotten)
            (byte,) = file.read(1)
            file.seek(rotten)
            file.write(bytes([byte ^ 1]))
        await red.serve(red.ended("move-web"), controller(red, guest, tasks))
        failed = red.procedure("move-web")
        assert (failed.state, failed.verified, failed.verified_bytes) == (ProcedureState.FAILED, "", 0)
        told = re.search(
            r"copy of disk disk0 differs from it in the (\d+) bytes at byte (\d+)", failed.reason
        )
        assert told is not None, failed.reason
        size, offset = map(int, told.groups())
        assert offset <= rotten < offset + size <= offset + (1 << 20)
        assert list(guest.processes) == [("web", "h1")]
        assert await counts(guest, "h1", tasks)
        assert await leftovers(guest, tasks, "h1") == []


async def test_disks_that_cannot_be_compared_move_and_the_receipt_says_why(tmp_path: Path) -> None:
    async with real(tmp_path, disk=SMALL) as (red, guest, tasks):
        guest.path("web", "h1", f"disk.img{SUFFIX}").mkdir()  # so that nothing can be kept there
        await red.ask(move(with_disks=True, mode=Mode.PRE_COPY, verify=True))
        await red.serve(red.ended("move-web"), controller(red, guest, tasks))
        done = red.procedure("move-web")
        assert (done.state, done.verified, done.verified_bytes) == (ProcedureState.DONE, "", 0)
        assert "overlace-before" in done.unverified


async def test_what_is_written_meanwhile_follows(tmp_path: Path) -> None:
    async with real(tmp_path, disk=SIZE, fill=fill) as (red, guest, tasks):
        await red.ask(move(with_disks=True, mode=Mode.PRE_COPY, verify=True))
        await red.serve(compares(serving := controller(red, guest, tasks)), serving)
        await write(guest, tasks, "h1", "write -P 0xa5 60M 1M")
        await red.serve(lambda: red.procedure("move-web").step is Step.COPYING, controller(red, guest, tasks))
        await write(guest, tasks, "h1", "write -P 0x5a 20M 64k")
        await red.serve(red.ended("move-web"), controller(red, guest, tasks))
        assert red.procedure("move-web").verified_bytes == SIZE
        disk = guest.path("web", "h2", "disk.img").read_bytes()
        assert disk[20 << 20 : (20 << 20) + 65536] == b"\x5a" * 65536
        assert disk[60 << 20 : 61 << 20] == b"\xa5" * (1 << 20)


def compares(serving: Orchestrator) -> Callable[[], bool]:
    """Until the disks are compared with their copies."""

    def there() -> bool:
        progress = serving.progress("move-web")
        return progress is not None and progress.what == "comparison"

    return there


@pytest.mark.parametrize("step", [Step.SEEDING, Step.COPYING, Step.TRANSFERRING])
async def test_an_abort_leaves_nothing_of_the_copying(tmp_path: Path, step: Step) -> None:
    async with real(tmp_path, disk=SIZE, fill=fill) as (red, guest, tasks):
        before = content(guest, "h1")
        await red.ask(
            move(with_disks=True, mode=Mode.PRE_COPY, bandwidth_mbit=8 if step is Step.SEEDING else 0)
        )
        serving = controller(red, guest, tasks)

        def there() -> bool:
            progress = serving.progress("move-web")
            begun = step is not Step.SEEDING or (progress is not None and progress.remaining_bytes > 0)
            return red.procedure("move-web").step is step and begun

        await red.serve(there, serving)
        await red.abort("move-web")
        await red.serve(red.ended("move-web"), controller(red, guest, tasks))
        assert red.procedure("move-web").state is ProcedureState.ABORTED
        assert list(guest.processes) == [("web", "h1")]
        assert await counts(guest, "h1", tasks)
        assert await leftovers(guest, tasks, "h1") == []
        assert content(guest, "h1") == before


@pytest.mark.parametrize("what", ["disks", "comparison"])
async def test_a_cut_connection_is_taken_up_again_where_it_was(tmp_path: Path, what: str) -> None:
    async with real(tmp_path, disk=SIZE, fill=fill) as (red, guest, tasks):
        before = content(guest, "h1")
        await red.ask(move(with_disks=True, mode=Mode.PRE_COPY, bandwidth_mbit=200, verify=True))
        serving = controller(red, guest, tasks)

        def half() -> bool:
            progress = serving.progress("move-web")
            return progress is not None and progress.what == what and 20 < progress.percent < 100

        async with asyncio.TaskGroup() as working:
            working.create_task(red.serve(red.ended("move-web"), serving))
            while not half():  # noqa: ASYNC110 - the same controller goes on
                await asyncio.sleep(0.01)
            beside = str(guest.path("web", "h2", "beside"))
            await cut(tasks, replace(guest.place("web", "h2"), monitor=beside), "disk0")
        done = red.procedure("move-web")
        assert (done.state, done.verified_bytes) == (ProcedureState.DONE, SIZE)
        assert content(guest, "h2") == before


async def test_the_guest_writes_on_where_the_way_is_cut_during_a_round(tmp_path: Path) -> None:
    async with guests(tmp_path, SIZE) as guest, asyncio.TaskGroup() as tasks:
        there = [await guest.start("web", "h1"), await guest.receive("web", "h2")]
        source, destination = [await Monitor.connect(each.monitor, lambda: None, tasks) for each in there]
        copy = DiskCopy(bandwidth_mbit=8)
        await copy.begin(source, destination, there[1].address, ("disk0",))
        await write(guest, tasks, "h1", "write -P 0x5a 0 16M")
        while not [each for each in await jobs_of(source) if "round" in each["id"]]:
            for each in await jobs_of(source):
                with suppress(MigrationFailed):  # it has ended meanwhile
                    await source.execute("block-job-set-speed", device=each["id"], speed=0)
            await copy.advance(source, ("disk0",))
        await destination.execute("nbd-server-stop")
        await write(guest, tasks, "h1", "write -P 0xa5 15M 64k")
        disk = guest.path("web", "h1", "disk.img").read_bytes()
        assert disk[15 << 20 : (15 << 20) + 65536] == b"\xa5" * 65536
        await source.close()
        await destination.close()


async def test_while_the_memory_is_on_its_way_little_is_left_for_the_time_when_the_guest_is_still(
    tmp_path: Path,
) -> None:
    async with guests(tmp_path, SIZE) as guest, asyncio.TaskGroup() as tasks:
        there = [await guest.start("web", "h1"), await guest.receive("web", "h2")]
        source, destination = [await Monitor.connect(each.monitor, lambda: None, tasks) for each in there]
        copy = DiskCopy(bandwidth_mbit=0)

        async def rounds_after(what: str) -> bool:
            """Whether what the guest writes is sent at once."""
            await write(guest, tasks, "h1", what)
            await copy.advance(source, ("disk0",))
            begun = any("round" in each["id"] for each in await jobs_of(source))
            while any(each["status"] != "concluded" for each in await jobs_of(source)):
                await copy.advance(source, ("disk0",))
            await copy.advance(source, ("disk0",))
            return begun

        await copy.begin(source, destination, there[1].address, ("disk0",))
        while copy.state is not Disks.IN_STEP:
            await copy.advance(source, ("disk0",))
        assert not await rounds_after("write -P 0x5a 0 512k")
        assert await rounds_after("write -P 0x5a 4M 2M")
        assert not await jobs_of(source)
        await source.close()
        await destination.close()


@pytest.mark.parametrize("commands", [9, 14])
async def test_a_controller_killed_while_it_begins_to_copy_is_followed_by_one_that_copies_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, commands: int
) -> None:
    async with real(tmp_path, disk=SIZE, fill=fill) as (red, guest, tasks):
        before = content(guest, "h1")
        await red.ask(move(with_disks=True, mode=Mode.PRE_COPY))
        await red.serve(lambda: red.procedure("move-web").step is Step.SEEDING, controller(red, guest, tasks))
        execute, left = Monitor.execute, [commands]

        async def until_killed(monitor: Monitor, command: str, **arguments: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                raise Killed
            return await execute(monitor, command, **arguments)

        with monkeypatch.context() as patch:
            patch.setattr(Monitor, "execute", until_killed)
            with suppress(Killed):
                await red.serve(
                    lambda: red.procedure("move-web").step is Step.COPYING, controller(red, guest, tasks)
                )
        await red.serve(red.ended("move-web"), controller(red, guest, tasks))
        assert red.procedure("move-web").state is ProcedureState.DONE
        assert content(guest, "h2") == before


async def test_over_a_golden_image_only_the_layer_goes_along(tmp_path: Path) -> None:
    golden = tmp_path / "golden.img"
    golden.write_bytes(os.urandom(DATA).ljust(SIZE, b"\0"))
    async with real(tmp_path, disk=SIZE, golden=golden) as (red, guest, tasks):
        await write(guest, tasks, "h1", "write -P 0x5a 1M 1M")
        await red.ask(move(with_disks=True, mode=Mode.PRE_COPY, verify=True))
        await red.serve(lambda: red.procedure("move-web").step is Step.COPYING, controller(red, guest, tasks))
        await write(guest, tasks, "h1", "write -P 0xa5 40M 1M")
        await red.serve(red.ended("move-web"), controller(red, guest, tasks))
        done = red.procedure("move-web")
        assert (done.state, done.verified_bytes, done.unverified) == (ProcedureState.DONE, 1 << 20, "")
        layer = guest.path("web", "h2", "disk.img")
        assert layer.stat().st_size < 4 << 20
        await guest.remove_machine("web", "h2")
        whole = tmp_path / "whole.img"
        converting = ["qemu-img", "convert", "-O", "raw", str(layer), str(whole)]
        await asyncio.to_thread(subprocess.run, converting, check=True)
        expected = bytearray(golden.read_bytes())
        expected[1 << 20 : 2 << 20] = b"\x5a" * (1 << 20)
        expected[40 << 20 : 41 << 20] = b"\xa5" * (1 << 20)
        assert whole.read_bytes() == bytes(expected)


async def cut(tasks: asyncio.TaskGroup, place: Place, node: str) -> None:
    """The destination loses all connections; after a while it can be connected to again."""
    monitor = await Monitor.connect(place.monitor, lambda: None, tasks)
    await monitor.execute("nbd-server-stop")
    await asyncio.sleep(2 * RECONNECT)
    where = {"type": "inet", "data": {"host": place.address, "port": str(FIRST_PORT)}}
    await monitor.execute("nbd-server-start", addr=where, max_connections=0)
    await monitor.execute("block-export-add", type="nbd", id="e", node_name=node, name="disk0", writable=True)
    await monitor.close()


async def test_another_controller_goes_on_with_a_disk_half_copied(tmp_path: Path) -> None:
    async with real(tmp_path, disk=SIZE, fill=fill) as (red, guest, tasks):
        before = content(guest, "h1")
        await red.ask(move(with_disks=True, mode=Mode.PRE_COPY, bandwidth_mbit=200))
        serving = controller(red, guest, tasks)

        def half() -> bool:
            progress = serving.progress("move-web")
            return progress is not None and progress.what == "disks" and 0 < progress.percent < 100

        await red.serve(half, serving)
        assert red.procedure("move-web").step is Step.SEEDING
        await red.serve(red.ended("move-web"), controller(red, guest, tasks))
        assert red.procedure("move-web").state is ProcedureState.DONE
        assert content(guest, "h2") == before
