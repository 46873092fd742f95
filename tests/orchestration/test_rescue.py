"""Given a machine whose host is dead, when it is rescued, then it runs at the other host with its port, whoever is
killed meanwhile, and the old host is cleared of it when it returns."""

from pathlib import Path

import pytest
from tests.orchestration.cloud import Cloud, cloud, move
from tests.orchestration.world import Clockwork, Killed

from overlace.model.machine import Machine
from overlace.model.procedure import Procedure, ProcedureKind, ProcedureState, Step
from overlace.orchestration.sight import Guest


def rescue() -> Procedure:
    return move(kind=ProcedureKind.RESCUE)


def host_of(red: Cloud) -> str:
    machine = red.store.snapshot.get(Machine, "web")
    assert machine is not None
    return machine.host_id


async def test_it_runs_there_at_once_and_the_old_host_is_cleared_when_it_returns(tmp_path: Path) -> None:
    async with cloud(tmp_path) as red:
        red.world.silent.add("h1")
        await red.ask(rescue())
        waiting = red.controller()
        await red.serve(lambda: "cleared of it when it returns" in waiting.problem("move-web"), waiting)
        assert (red.active("web"), host_of(red)) == ("h2", "h2")
        assert red.bindings("web")["h1"] == "releasing"
        red.world.silent.clear()
        assert red.world.running("web") == ["h1", "h2"]  # the host was cut off only, and the guest ran on
        await red.serve(red.ended("move-web"))
        assert red.procedure("move-web").state is ProcedureState.DONE
        assert red.world.hosts_of("web") == red.world.running("web") == ["h2"]
        assert red.bindings("web") == {"h2": "active"}


async def test_a_controller_killed_at_any_moment_is_followed_by_one_that_goes_on(tmp_path: Path) -> None:
    killed = 0
    for moment in range(1, 100):
        directory = tmp_path / str(moment)
        directory.mkdir()
        async with cloud(directory) as red:
            del red.world.guests["web", "h1"]
            red.world.clockwork = Clockwork(kill_at=moment)
            await red.ask(rescue())
            try:
                await red.serve(red.ended("move-web"))
            except Killed:
                killed += 1
            else:
                break
            red.world.clockwork = Clockwork()
            await red.serve(red.ended("move-web"))
            assert red.procedure("move-web").state is ProcedureState.DONE, moment
            assert red.world.running("web") == [red.active("web")] == [host_of(red)] == ["h2"], moment
    assert killed > 6


async def test_a_guest_that_is_seen_alive_is_not_started_a_second_time(tmp_path: Path) -> None:
    async with cloud(tmp_path) as red:
        await red.ask(rescue())
        await red.serve(red.ended("move-web"))
        failed = red.procedure("move-web")
        assert (failed.state, "alive at h1: move it" in failed.reason) == (ProcedureState.FAILED, True)
        assert red.world.running("web") == [red.active("web")] == [host_of(red)] == ["h1"]
        assert red.bindings("web") == {"h1": "active"}


@pytest.mark.parametrize("step", [Step.QUEUED, Step.PREPARING])
async def test_it_can_be_given_up_until_it_runs(tmp_path: Path, step: Step) -> None:
    async with cloud(tmp_path) as red:
        red.world.silent.add("h1")
        await red.ask(rescue())
        if step is not Step.QUEUED:
            await red.serve(lambda: red.procedure("move-web").step is step)
        await red.abort("move-web")
        await red.serve(red.ended("move-web"))
        assert red.procedure("move-web").state is ProcedureState.ABORTED
        assert red.bindings("web") == {"h1": "active"}


async def test_the_machine_can_move_on_while_its_old_host_is_still_away(tmp_path: Path) -> None:
    async with cloud(tmp_path) as red:
        red.world.silent.add("h1")
        red.world.guests["web", "h1"] = Guest.BROKEN
        await red.ask(rescue())
        await red.serve(lambda: red.procedure("move-web").step is Step.FINISHING)
        await red.ask(move(id="on", from_host="h2", to_host="h3"))
        await red.serve(red.ended("on"))
        red.world.silent.clear()
        await red.serve(red.ended("move-web"))
        assert red.world.hosts_of("web") == [red.active("web")] == [host_of(red)] == ["h3"]
