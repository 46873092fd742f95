"""Given machines at two sites, administrators move any to any host, members those of their project to another site;
a dry run writes nothing, and what cannot be is refused with the cause."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from tests.northbound.cloud import Cloud, error
from tests.northbound.conftest import MemoryStore, StillWorld

from overlace.model.machine import Machine
from overlace.model.procedure import Procedure, ProcedureState, Step
from overlace.northbound.application import create_application
from overlace.northbound.auth.caller import Caller, Role
from overlace.northbound.configuration import NetworkingConfiguration
from overlace.northbound.views import Views

RED = "red"


class Whoever:
    """Whom the test says."""

    def __init__(self) -> None:
        self.caller = Caller("root", "admin", Role.ADMIN)

    async def authenticate(self, request: Request) -> Caller:  # noqa: ARG002 - asked of nobody
        return self.caller

    @contextmanager
    def being(self, role: Role, project: str = RED) -> Iterator[None]:
        before, self.caller = self.caller, Caller("alice", project, role)
        yield
        self.caller = before


@asynccontextmanager
async def serving(
    store: MemoryStore, world: StillWorld, whoever: Whoever, **settings: Any
) -> AsyncIterator[Cloud]:
    views = Views(world, world, world, world, world, world, world, world, world, world)
    configuration = NetworkingConfiguration(**settings)
    application = create_application(store, views, whoever, store.clock, configuration)
    transport = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:9696") as client:
        yield Cloud(client)


@pytest.fixture
def whoever() -> Whoever:
    return Whoever()


@pytest.fixture
async def cloud(store: MemoryStore, world: StillWorld, whoever: Whoever) -> AsyncIterator[Cloud]:
    """h1 and h2 at tokyo, h3 and h4 at osaka; two machines of project red on h1, one of blue on h2."""
    async with serving(store, world, whoever) as cloud:
        await furnish(cloud, world)
        yield cloud


async def furnish(cloud: Cloud, world: StillWorld) -> None:
    for site in ("tokyo", "osaka"):
        await cloud.create("site", id=site)
    for host, site in (("h1", "tokyo"), ("h2", "tokyo"), ("h3", "osaka"), ("h4", "osaka")):
        await cloud.create("host", id=host, site_id=site)
        world.alive.add(host)
    for machine, host, project in (("web", "h1", RED), ("db", "h1", RED), ("mail", "h2", "blue")):
        await cloud.create("machine", id=machine, host_id=host, project_id=project)


async def ask(cloud: Cloud, **wish: Any) -> httpx.Response:
    return await cloud.client.post("/v2.0/overlace/procedures", json={"procedure": wish})


async def asked(cloud: Cloud, **wish: Any) -> dict[str, Any]:
    answer = await ask(cloud, **wish)
    assert answer.is_success, answer.text
    found: dict[str, Any] = answer.json()["procedure"]
    return found


async def test_an_administrator_moves_a_machine_to_a_host(cloud: Cloud, store: MemoryStore) -> None:
    made = await asked(cloud, machine_id="web", to_host="h3", mode="post-copy", bandwidth_mbit=500)
    assert (made["from_host"], made["to_host"], made["step"], made["mode"]) == (
        "h1",
        "h3",
        "queued",
        "post-copy",
    )
    assert (made["from_site"], made["to_site"], made["project_id"]) == ("tokyo", "osaka", RED)
    kept = store.snapshot.get(Procedure, made["id"])
    assert kept is not None
    assert (kept.actor, kept.bandwidth_mbit) == ("root", 500)


async def test_disks_that_go_along_are_compared_where_that_is_wanted(
    cloud: Cloud, store: MemoryStore
) -> None:
    for machine, driver in (("disk", "qmp"), ("other", "qmp"), ("dom", "libvirt")):
        await cloud.create("machine", id=machine, host_id="h1", own_disks=True, driver=driver)

    async def terms(**wish: Any) -> tuple[bool, str]:
        made = await asked(cloud, to_host="h3", **wish)
        kept = store.snapshot.get(Procedure, made["id"])
        assert kept is not None
        return kept.verify, kept.unverified

    assert await terms(machine_id="disk", verify=True) == (True, "")
    assert await terms(machine_id="other") == (False, "it was not asked for")
    assert await terms(machine_id="dom", verify=True) == (False, "libvirt copies disks by itself")
    assert await terms(machine_id="web", verify=True) == (False, "")
    assert (await ask(cloud, machine_id="db", to_host="h3", verify="perhaps")).status_code == 400


async def test_one_move_of_a_machine_at_a_time(cloud: Cloud) -> None:
    await asked(cloud, machine_id="web", to_host="h3")
    assert error(await ask(cloud, machine_id="web", to_host="h4")) == (409, "MachineInUse")
    assert await cloud.refused_delete("machine", "web") == (409, "MachineInUse")


async def test_a_member_moves_machines_of_its_project_to_a_site_and_learns_no_host(
    cloud: Cloud, whoever: Whoever
) -> None:
    with whoever.being(Role.MEMBER):
        assert error(await ask(cloud, machine_id="web", to_host="h3"))[0] == 403
        assert error(await ask(cloud, machine_id="mail", to_site="osaka")) == (404, "MachineNotFound")
        made = await asked(cloud, machine_id="web", to_site="osaka")
        assert made["to_site"] == "osaka"
        assert not {"from_host", "to_host", "actor", "problem"} & set(made)
        assert "from_host" not in made["moves"][0]
        shown = await cloud.show("machine", "web")
        assert "host_id" not in shown


async def test_readers_move_nothing_nor_do_members_where_only_administrators_may(
    store: MemoryStore, world: StillWorld, whoever: Whoever
) -> None:
    async with serving(store, world, whoever, members_move=False) as cloud:
        await furnish(cloud, world)
        for role in (Role.READER, Role.MEMBER):
            with whoever.being(role):
                assert error(await ask(cloud, machine_id="web", to_site="osaka"))[0] == 403
        await asked(cloud, machine_id="web", to_site="osaka")


async def test_a_site_is_evacuated_evenly_and_a_dry_run_says_how(cloud: Cloud, store: MemoryStore) -> None:
    wish = {"kind": "evacuation", "from_site": "tokyo", "to_site": "osaka"}
    plan = await asked(cloud, **wish, dry_run=True)
    assert [(each["machine_id"], each["to_host"]) for each in plan["moves"]] == [
        ("db", "h3"),
        ("mail", "h4"),
        ("web", "h3"),
    ]
    assert store.snapshot.count(Procedure) == 0
    made = await asked(cloud, **wish)
    assert len(await cloud.all("procedure", f"parent={made['id']}")) == 3
    assert made["kind"] == "evacuation"


async def test_a_member_evacuates_its_own_machines_only(cloud: Cloud, whoever: Whoever) -> None:
    with whoever.being(Role.MEMBER):
        made = await asked(cloud, kind="evacuation", from_site="tokyo", to_site="osaka")
        assert [each["machine_id"] for each in made["moves"]] == ["db", "web"]
        assert error(await ask(cloud, kind="evacuation", from_host="h1"))[0] == 403


async def test_hosts_that_are_away_reserved_or_only_observed_take_nothing(
    cloud: Cloud, world: StillWorld
) -> None:
    await cloud.update("host", "h3", projects=["blue"])
    assert (await asked(cloud, machine_id="web", to_site="osaka", dry_run=True))["to_host"] == "h4"
    world.alive.discard("h4")
    refusal = await ask(cloud, machine_id="web", to_site="osaka")
    assert error(refusal) == (409, "NoPlace")
    assert "h3 are reserved for other projects than red" in refusal.text
    assert "no other host there is connected" in (await ask(cloud, machine_id="web", to_host="h4")).text


@pytest.mark.parametrize(
    ("wish", "status", "word"),
    [
        ({}, 400, "machine_id"),
        ({"machine_id": "web"}, 400, "to_host"),
        ({"machine_id": "web", "to_host": "h3", "to_site": "osaka"}, 400, "not both"),
        ({"machine_id": "web", "to_host": "h9"}, 404, "h9"),
        ({"machine_id": "web", "to_site": "kyoto"}, 404, "kyoto"),
        ({"machine_id": "web", "to_host": "h1"}, 409, "already"),
        ({"machine_id": "web", "to_host": "h3", "mode": "magic"}, 400, "magic"),
        ({"machine_id": "web", "to_host": "h3", "timeout": 0}, 400, "0"),
        ({"machine_id": "web", "to_host": "h3", "speed": 1}, 400, "speed"),
        ({"machine_id": "web", "to_host": "h3", "from_host": "h2"}, 400, "where it is"),
        ({"kind": "evacuation"}, 400, "evacuated"),
        ({"kind": "evacuation", "from_host": "h1", "from_site": "tokyo"}, 400, "evacuated"),
    ],
)
async def test_what_cannot_be_is_refused(cloud: Cloud, wish: dict[str, Any], status: int, word: str) -> None:
    refusal = await ask(cloud, **wish)
    assert refusal.status_code == status
    assert word in refusal.json()["NeutronError"]["message"]


async def test_an_abort_is_asked_for_once_and_refused_when_it_is_too_late(
    cloud: Cloud, store: MemoryStore, whoever: Whoever
) -> None:
    made = await asked(cloud, machine_id="web", to_host="h3")
    path = f"/v2.0/overlace/procedures/{made['id']}/abort"
    with whoever.being(Role.MEMBER, "blue"):
        assert error(await cloud.client.post(path)) == (404, "ProcedureNotFound")
    with whoever.being(Role.READER):
        assert error(await cloud.client.post(path))[0] == 403
    assert (await cloud.client.post(path)).json()["procedure"]["abort_wanted"] is True
    await _put(store, made["id"], step=Step.SWITCHING)
    assert error(await cloud.client.post(path)) == (409, "ProcedureNotAbortable")
    await _put(store, made["id"], step=Step.CLOSED, state=ProcedureState.DONE)
    assert "has ended: done" in (await cloud.client.post(path)).text


async def test_an_evacuation_is_given_up_with_all_that_can_be(cloud: Cloud, store: MemoryStore) -> None:
    made = await asked(cloud, kind="evacuation", from_host="h1", to_site="osaka")
    first, second = (each["id"] for each in made["moves"])
    await _put(store, first, step=Step.SWITCHING)
    answer = await cloud.client.post(f"/v2.0/overlace/procedures/{made['id']}/abort")
    assert answer.status_code == 200
    wanted = {each.id: each.abort_wanted for each in store.snapshot.all(Procedure)}
    assert wanted == {made["id"]: True, first: False, second: True}


async def test_a_rescue_asks_for_certainty(cloud: Cloud, world: StillWorld, whoever: Whoever) -> None:
    wish = {"kind": "rescue", "machine_id": "web", "to_site": "osaka"}
    assert error(await ask(cloud, **wish, host_is_dead=True)) == (409, "HostIsAlive")
    world.alive.discard("h1")
    assert error(await ask(cloud, **wish)) == (409, "HostNotFenced")
    with whoever.being(Role.MEMBER):
        assert error(await ask(cloud, **wish, host_is_dead=True))[0] == 403
    await cloud.update("machine", "web", own_disks=True)
    assert error(await ask(cloud, **wish, host_is_dead=True)) == (409, "DiskNotThere")
    made = await asked(cloud, **wish, host_is_dead=True, disk_is_there=True)
    assert (made["kind"], made["from_host"], made["to_host"], made["with_disks"]) == (
        "rescue",
        "h1",
        "h3",
        False,
    )


async def test_a_host_that_is_not_cleared_of_a_machine_does_not_get_it_back(
    cloud: Cloud, store: MemoryStore, world: StillWorld
) -> None:
    world.alive.discard("h1")
    made = await asked(cloud, kind="rescue", machine_id="web", to_host="h3", host_is_dead=True)
    await _put(store, made["id"], step=Step.FINISHING)
    machine = store.snapshot.get(Machine, "web")
    assert machine is not None
    moved = replace(machine, host_id="h3")
    await store.transact(lambda tx: tx.put(moved), actor="test", request_id="", source="test")
    world.alive.add("h1")
    assert error(await ask(cloud, machine_id="web", to_host="h1")) == (409, "HostNotCleared")
    await asked(cloud, machine_id="web", to_host="h4")


async def test_progress_is_shown_while_there_is_one(cloud: Cloud, world: StillWorld) -> None:
    made = await asked(cloud, machine_id="web", to_host="h3")
    assert (made["progress"], made["problem"]) == (None, "nobody carries it out here")
    world.busy.add(made["id"])
    shown = await cloud.show("procedure", made["id"])
    assert (shown["progress"], shown["problem"]) == ({"percent": 50.0}, "")


async def _put(store: MemoryStore, key: str, **changes: Any) -> None:
    found = store.snapshot.get(Procedure, key)
    assert found is not None
    await store.transact(
        lambda tx: tx.put(replace(found, **changes)), actor="test", request_id="", source="test"
    )
