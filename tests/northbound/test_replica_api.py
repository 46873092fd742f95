"""Given machines at two sites, an administrator has replicas kept that can be kept, their project sees how old they
are, and a rescue goes where the replica is and says what it shows."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from tests.northbound import test_procedure_api as moves
from tests.northbound.cloud import Cloud, error
from tests.northbound.conftest import MemoryStore, StillWorld
from tests.northbound.test_procedure_api import RED, Whoever, ask, asked

from overlace.model.replica import Replica, ReplicaState
from overlace.northbound.auth.caller import Role

cloud, whoever = moves.cloud, moves.whoever
PATH = "/v2.0/overlace/replicas"


async def have(cloud: Cloud, **more: Any) -> None:
    await cloud.update("machine", "web", own_disks=True)
    await cloud.create("replica", id="web", host_id="h3", **more)


async def note(store: MemoryStore, **known: Any) -> Replica:
    """As the replicator does it."""
    found = store.snapshot.get(Replica, "web")
    assert found is not None
    noted = replace(found, **known)
    await store.transact(lambda tx: tx.put(noted), actor="test", request_id="", source="test")
    return noted


async def test_a_replica_is_kept_as_its_project_may_see(
    cloud: Cloud, store: MemoryStore, world: StillWorld, whoever: Whoever
) -> None:
    await have(cloud, every=30, bandwidth_mbit=100)
    made = await cloud.show("replica", "web")
    assert (made["host_id"], made["site_id"], made["every"], made["state"]) == ("h3", "osaka", 30, "resting")
    assert (made["project_id"], made["age"], made["promise_kept"]) == (RED, None, False)
    world.busy.add("web")
    await note(store, as_of=datetime.fromisoformat("2026-01-01T00:00:00Z"), whole=1, sent_bytes=4096)
    with whoever.being(Role.MEMBER):
        shown = (await cloud.show("machine", "web"))["replica"]
        assert (shown["site_id"], shown["as_of"], shown["sent_bytes"]) == (
            "osaka",
            "2026-01-01T00:00:00Z",
            4096,
        )
        assert (shown["age"], shown["promise_kept"]) == (12.5, True)
        assert not {"host_id", "problem"} & set(await cloud.show("replica", "web"))
        assert error(await cloud.client.delete(f"{PATH}/web"))[0] == 403
    assert (await cloud.update("replica", "web", every=300))["every"] == 300


async def test_what_cannot_be_kept_is_refused_with_the_cause(cloud: Cloud) -> None:
    assert await cloud.refused("replica", id="web", host_id="h3") == (409, "ReplicaNotNeeded")
    await cloud.create("machine", id="vm", host_id="h1", driver="libvirt", own_disks=True)
    assert await cloud.refused("replica", id="vm", host_id="h3") == (409, "ReplicaNotSupported")
    assert await cloud.refused("replica", id="nobody", host_id="h3") == (404, "MachineNotFound")
    await cloud.update("machine", "web", own_disks=True)
    assert await cloud.refused("replica", id="web", host_id="h1") == (409, "MachineIsThere")
    assert await cloud.refused("replica", id="web", host_id="h9") == (404, "HostNotFound")
    assert (await cloud.refused("replica", id="web", host_id="h3", every=1))[0] == 400
    await asked(cloud, machine_id="web", to_host="h2")
    assert await cloud.refused("replica", id="web", host_id="h3") == (409, "MachineInUse")


async def test_it_goes_once_it_is_removed_and_holds_machine_and_host_until_somebody_wants_that(
    cloud: Cloud, store: MemoryStore
) -> None:
    await have(cloud)
    assert await cloud.refused("replica", id="web", host_id="h4") == (409, "ReplicaExists")
    assert await cloud.refused_delete("machine", "web") == (409, "MachineHasReplica")
    assert await cloud.refused_delete("host", "h3") == (409, "HostInUse")
    await cloud.delete("replica", "web")
    assert (await cloud.show("machine", "web"))["replica"]["state"] == "ending"
    await cloud.delete("host", "h3")  # it is gone, and what was kept there
    assert store.snapshot.get(Replica, "web") is None


async def test_a_rescue_goes_where_the_replica_is(
    cloud: Cloud, store: MemoryStore, world: StillWorld
) -> None:
    await have(cloud)
    world.alive.discard("h1")
    dead = {"kind": "rescue", "machine_id": "web", "host_is_dead": True}
    assert error(await ask(cloud, **dead)) == (409, "DiskNotThere")  # no round is whole yet
    await note(store, as_of=store.clock.now(), whole=1, state=ReplicaState.SENDING)
    assert error(await ask(cloud, **dead, to_host="h4")) == (409, "DiskNotThere")
    told = await asked(cloud, **dead, to_site="osaka", dry_run=True)
    assert told["moves"][0]["to_host"] == "h3"
    await note(store, taken=True)  # a move was bringing it up to date when the host died
    assert error(await ask(cloud, **dead)) == (409, "DiskNotThere")
    await note(store, taken=False)
    made = await asked(cloud, **dead)
    assert (made["to_host"], made["data_as_of"]) == ("h3", told["data_as_of"])
    assert made["data_as_of"] is not None
