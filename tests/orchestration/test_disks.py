"""Given a guest whose disk is its host's own, when it moves, then the disk goes along bit by bit, and nothing is left
where it was."""

import asyncio
import os
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tests.orchestration.cloud import move
from tests.orchestration.qemu import Guests
from tests.orchestration.test_qmp import controller, counts, real
from tests.orchestration.world import Killed

from overlace.model.procedure import Mode, ProcedureState, Step
from overlace.orchestration.launcher import Place
from overlace.orchestration.qmp.exports import FIRST_PORT
from overlace.orchestration.qmp.monitor import Monitor
from overlace.orchestration.qmp.stripes import RECONNECT

SIZE = 64 << 20
DATA = 20 << 20
DEVICE = "/machine/peripheral/vd0/virtio-backend"


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


async def write(guest: Guests, tasks: asyncio.TaskGroup, host: str, what: str) -> None:
    """As if the guest wrote: through its own device."""
    monitor = await Monitor.connect(guest.place("web", host).monitor, lambda: None, tasks)
    told = await monitor.execute("human-monitor-command", command_line=f'qemu-io -d {DEVICE} "{what}"')
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


async def test_the_disk_goes_along(tmp_path: Path) -> None:
    async with real(tmp_path, disk=SIZE, fill=fill) as (red, guest, tasks):
        before = content(guest, "h1")
        await red.ask(move(with_disks=True, mode=Mode.PRE_COPY))
        await red.serve(red.ended("move-web"), controller(red, guest, tasks))
        done = red.procedure("move-web")
        assert done.state is ProcedureState.DONE, done.reason
        assert DATA <= done.disk_bytes <= SIZE + (4 << 20)
        assert content(guest, "h2") == before
        assert not guest.path("web", "h1", "disk.img").exists()
        assert await counts(guest, "h2", tasks)
        assert await leftovers(guest, tasks, "h2") == []


async def test_what_is_written_meanwhile_follows(tmp_path: Path) -> None:
    async with real(tmp_path, disk=SIZE, fill=fill) as (red, guest, tasks):
        await red.ask(move(with_disks=True, mode=Mode.PRE_COPY))
        await red.serve(lambda: red.procedure("move-web").step is Step.COPYING, controller(red, guest, tasks))
        await write(guest, tasks, "h1", "write -P 0x5a 20M 64k")
        await write(guest, tasks, "h1", "write -P 0xa5 60M 1M")
        await red.serve(red.ended("move-web"), controller(red, guest, tasks))
        disk = guest.path("web", "h2", "disk.img").read_bytes()
        assert disk[20 << 20 : (20 << 20) + 65536] == b"\x5a" * 65536
        assert disk[60 << 20 : 61 << 20] == b"\xa5" * (1 << 20)


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


async def test_a_cut_connection_is_taken_up_again_where_it_was(tmp_path: Path) -> None:
    async with real(tmp_path, disk=SIZE, fill=fill) as (red, guest, tasks):
        before = content(guest, "h1")
        await red.ask(move(with_disks=True, mode=Mode.PRE_COPY, bandwidth_mbit=200))
        serving = controller(red, guest, tasks)

        def half() -> bool:
            progress = serving.progress("move-web")
            return progress is not None and progress.what == "disks" and 20 < progress.percent < 100

        await red.serve(half, serving)
        await cut(tasks, guest.place("web", "h2"), "disk0")
        await red.serve(red.ended("move-web"), controller(red, guest, tasks))
        assert red.procedure("move-web").state is ProcedureState.DONE
        assert content(guest, "h2") == before


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
        await red.ask(move(with_disks=True, mode=Mode.PRE_COPY))
        await red.serve(lambda: red.procedure("move-web").step is Step.COPYING, controller(red, guest, tasks))
        await write(guest, tasks, "h1", "write -P 0xa5 40M 1M")
        await red.serve(red.ended("move-web"), controller(red, guest, tasks))
        assert red.procedure("move-web").state is ProcedureState.DONE
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
