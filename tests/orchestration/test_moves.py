"""Given machines that run, when they are moved, then each runs at one host, and its port is active there: whoever is
killed, whatever fails, and whenever somebody changes their mind."""

from pathlib import Path

import pytest
from tests.orchestration.cloud import cloud, move
from tests.orchestration.world import Clockwork, Killed

from overlace.model.procedure import ProcedureState, Step
from overlace.orchestration.admission import Limits


async def test_a_machine_moves_with_its_port_and_leaves_nothing_behind(tmp_path: Path) -> None:
    async with cloud(tmp_path) as red:
        await red.ask(move())
        await red.serve(until=red.ended("move-web"))
        done = red.procedure("move-web")
        assert (done.state, done.trigger, done.stop_ms, done.copied_bytes) == (
            ProcedureState.DONE,
            "pre-switchover",
            80,
            1000,
        )
        assert red.world.hosts_of("web") == red.world.running("web") == ["h2"]
        assert red.active("web") == "h2"
        (receipt,) = red.receipts("web")
        assert (receipt.from_host, receipt.to_host, receipt.actor) == ("h1", "h2", "alice")
        assert (receipt.event, receipt.stop_ms, receipt.network_ms > 0) == ("pre-switchover", 80, True)
        assert receipt.prepared_by.value == receipt.activated_by.value == "procedure"


async def test_a_receipt_tells_that_disks_were_compared_also_by_an_earlier_controller(tmp_path: Path) -> None:
    async with cloud(tmp_path) as red:
        await red.ask(move(with_disks=True, verify=True))
        await red.serve(until=lambda: red.procedure("move-web").step is Step.COPYING)
        await red.serve(until=red.ended("move-web"))
        (receipt,) = red.receipts("web")
        assert (receipt.verified, receipt.verified_bytes, receipt.unverified) == ("SHA-256", 4096, "")


async def test_a_copy_that_differs_ends_the_move(tmp_path: Path) -> None:
    async with cloud(tmp_path) as red:
        red.world.rots = True
        await red.ask(move(with_disks=True, verify=True))
        await red.serve(until=red.ended("move-web"))
        assert red.procedure("move-web").state is ProcedureState.FAILED
        assert red.world.hosts_of("web") == red.world.running("web") == ["h1"]
        assert red.bindings("web") == {"h1": "active"}


@pytest.mark.parametrize("with_disks", [False, True])
@pytest.mark.parametrize("meanwhile", [0, 10])
async def test_a_controller_killed_at_any_moment_is_followed_by_one_that_goes_on(
    tmp_path: Path, meanwhile: int, with_disks: bool
) -> None:
    killed = 0
    for moment in range(1, 200):
        async with cloud(_directory(tmp_path, moment)) as red:
            red.world.clockwork = Clockwork(kill_at=moment)
            await red.ask(move(with_disks=with_disks))
            try:
                await red.serve(until=red.ended("move-web"))
            except Killed:
                killed += 1
            else:
                break
            for _ in range(meanwhile):
                red.world.time_passes("web")
            red.world.clockwork = Clockwork()
            await red.serve(until=red.ended("move-web"))
            assert red.procedure("move-web").state is ProcedureState.DONE, moment
            assert red.world.hosts_of("web") == red.world.running("web") == ["h2"], moment
            assert red.active("web") == "h2", moment
    assert killed > 20


STEPS = [Step.QUEUED, Step.PREPARING, Step.SEEDING, Step.COPYING, Step.TRANSFERRING]


@pytest.mark.parametrize("step", STEPS)
async def test_a_move_that_is_aborted_leaves_the_guest_where_it_was_and_no_trace_elsewhere(
    tmp_path: Path, step: Step
) -> None:
    async with cloud(tmp_path) as red:
        await red.ask(move(with_disks=True))
        if step is not Step.QUEUED:
            await red.serve(until=lambda: red.procedure("move-web").step is step)
        await red.abort("move-web")
        await red.serve(until=red.ended("move-web"))
        assert red.procedure("move-web").state is ProcedureState.ABORTED
        assert red.world.hosts_of("web") == red.world.running("web") == ["h1"]
        assert red.bindings("web") == {"h1": "active"}


@pytest.mark.parametrize("step", [Step.SWITCHING, Step.FINISHING])
async def test_once_the_ports_are_over_there_an_abort_comes_too_late(tmp_path: Path, step: Step) -> None:
    async with cloud(tmp_path) as red:
        await red.ask(move())
        await red.serve(until=lambda: red.procedure("move-web").step is step)
        await red.abort("move-web")
        await red.serve(until=red.ended("move-web"))
        assert red.procedure("move-web").state is ProcedureState.DONE
        assert red.world.running("web") == [red.active("web")] == ["h2"]


async def test_an_abort_survives_a_kill_at_any_moment_too(tmp_path: Path) -> None:
    killed = 0
    for moment in range(1, 100):
        async with cloud(_directory(tmp_path, moment)) as red:
            await red.ask(move(with_disks=True))
            await red.serve(until=lambda red=red: red.procedure("move-web").step is Step.TRANSFERRING)  # type: ignore[misc]
            await red.abort("move-web")
            red.world.clockwork = Clockwork(kill_at=moment)
            try:
                await red.serve(until=red.ended("move-web"))
            except Killed:
                killed += 1
            else:
                break
            red.world.clockwork = Clockwork()
            await red.serve(until=red.ended("move-web"))
            assert red.world.running("web") == [red.active("web")], moment
            assert len(red.world.hosts_of("web")) == 1, moment
    assert killed > 4


@pytest.mark.parametrize("deed", ["receive", "seed", "transfer"])
async def test_a_hypervisor_that_refuses_ends_the_move_with_its_words(tmp_path: Path, deed: str) -> None:
    async with cloud(tmp_path) as red:
        red.world.fails.add(deed)
        await red.ask(move(with_disks=True))
        await red.serve(until=red.ended("move-web"))
        failed = red.procedure("move-web")
        assert (failed.state, failed.reason) == (ProcedureState.FAILED, f"{deed} does not work here")
        assert red.world.hosts_of("web") == red.world.running("web") == ["h1"]
        assert red.bindings("web") == {"h1": "active"}


async def test_a_guest_that_dies_over_there_goes_on_at_the_source_with_its_port(tmp_path: Path) -> None:
    async with cloud(tmp_path) as red:
        red.world.dies_over_there = True
        await red.ask(move())
        await red.serve(until=red.ended("move-web"))
        assert red.procedure("move-web").state is ProcedureState.FAILED
        assert "ended at the destination" in red.procedure("move-web").reason
        assert red.world.hosts_of("web") == red.world.running("web") == ["h1"]
        assert red.bindings("web") == {"h1": "active"}


async def test_a_guest_that_writes_too_fast_is_given_up_after_its_time(tmp_path: Path) -> None:
    async with cloud(tmp_path) as red:
        red.world.endless = True
        await red.ask(move(timeout=30))
        await red.serve(until=lambda: red.procedure("move-web").step is Step.TRANSFERRING)
        red.clock.advance(31)
        await red.serve(until=red.ended("move-web"))
        assert "not over within 30 s" in red.procedure("move-web").reason
        assert red.world.running("web") == [red.active("web")] == ["h1"]


async def test_a_destination_that_falls_silent_holds_up_an_abort_for_a_minute_only(tmp_path: Path) -> None:
    async with cloud(tmp_path) as red:
        await red.ask(move())
        await red.serve(until=lambda: red.procedure("move-web").step is Step.TRANSFERRING)
        red.world.silent.add("h2")
        await red.abort("move-web")
        await red.serve(until=lambda: red.procedure("move-web").step is Step.ABORTING)
        waiting = red.controller()
        await red.serve(until=lambda: waiting.problem("move-web") != "", controller=waiting)
        assert (red.world.running("web"), red.procedure("move-web").step) == (["h1"], Step.ABORTING)
        red.clock.advance(61)
        await red.serve(until=red.ended("move-web"))
        assert red.bindings("web") == {"h1": "active"}


@pytest.mark.parametrize("asked", [False, True])
async def test_hosts_that_are_silent_from_the_beginning_end_a_move_in_the_end(
    tmp_path: Path, asked: bool
) -> None:
    async with cloud(tmp_path) as red:
        red.world.silent |= {"h1", "h2"}
        await red.ask(move(timeout=30))
        waiting = red.controller()
        await red.serve(lambda: waiting.problem("move-web") != "", waiting)
        if asked:
            await red.abort("move-web")
        else:
            red.clock.advance(31)
        await red.serve(lambda: red.procedure("move-web").step is Step.ABORTING)
        red.clock.advance(61)
        await red.serve(until=red.ended("move-web"))
        assert red.procedure("move-web").state is (ProcedureState.ABORTED if asked else ProcedureState.FAILED)
        assert red.bindings("web") == {"h1": "active"}
        red.world.silent.clear()
        assert red.world.hosts_of("web") == red.world.running("web") == ["h1"]


async def test_so_many_moves_at_a_time_and_all_in_their_turn(tmp_path: Path) -> None:
    names = [f"m{number}" for number in range(6)]
    async with cloud(tmp_path, *names, limits=Limits(per_host=2, per_link=4)) as red:
        keys = [f"move-{name}" for name in names]
        crowd: list[int] = []

        def all_ended() -> bool:
            steps = [red.procedure(key).step for key in keys]
            crowd.append(sum(step not in (Step.QUEUED, Step.CLOSED) for step in steps))
            return all(step is Step.CLOSED for step in steps)

        await red.ask(*[move(name, "h2", place=place) for place, name in enumerate(names)])
        await red.serve(until=all_ended)
        assert max(crowd) == 2
        assert all(red.world.running(name) == [red.active(name)] == ["h2"] for name in names)


def _directory(path: Path, number: int) -> Path:
    directory = path / str(number)
    directory.mkdir()
    return directory
