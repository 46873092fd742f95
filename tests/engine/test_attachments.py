"""Interfaces come and go; bindings follow."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest
from tests.model.ledger import Ledger

from overlace.engine.attachments import Attachments
from overlace.engine.interfaces import PluggedInterface
from overlace.kit.addresses import Mac
from overlace.model import binder
from overlace.model.intents import Intents
from overlace.model.move import Cause, Trigger
from overlace.model.port import Binding, Port
from overlace.model.site import Host
from overlace.model.snapshot import Change, Snapshot


class Scene:
    """A ledger as store, a dictionary as engine, and the attachments between them."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.ofports: dict[tuple[str, str], int | None] = {}
        self.transactions = 0
        self.refuses = ""
        self.attachments = Attachments(lambda: self.ledger.snapshot, self._transact, self)
        for key, name in enumerate(("h1", "h2"), start=1):
            self.ledger.put(Host(id=name, site_id="a", key=key))

    def observed_ofport(self, place: tuple[str, str], number: int | None) -> None:
        self.ofports[place] = number

    async def _transact(self, change: Callable[[Intents], bool], _reason: str) -> object:
        await asyncio.sleep(0)
        self.transactions += 1
        before = self.ledger.snapshot
        changed = change(self.ledger)
        if any(self.ledger.snapshot.members(Binding, "port", self.refuses)):
            self.ledger.snapshot = before
            raise ValueError(f"{self.refuses} is refused")
        self._tell(before)
        return changed

    def _tell(self, before: Snapshot) -> None:
        old = {each.id: each for each in before.all(Binding)}
        new = {each.id: each for each in self.ledger.snapshot.all(Binding)}
        changed = (key for key in old | new if old.get(key) != new.get(key))
        self.attachments.committed(tuple(Change(Binding, key, old.get(key), new.get(key)) for key in changed))

    def port(self, name: str = "p", **more: str) -> Port:
        port = Port(id=name, project_id="red", network_id="n", name="", mac_address=Mac(2), key=7)
        port = replace(port, **more)  # type: ignore[arg-type]
        self.ledger.put(port)
        return port

    def plug(self, host: str, name: str = "tap0", iface_id: str | None = "p", ofport: int = 5) -> None:
        self.attachments.interface_changed(PluggedInterface(host, name, iface_id, ofport))

    async def settled(self) -> dict[str, tuple[str, int]]:
        async with asyncio.timeout(5):
            await self.attachments.settled()
        return self.ledger.states()


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    scene = Scene()
    running = asyncio.get_running_loop().create_task(scene.attachments.run())
    yield scene
    running.cancel()


async def test_an_interface_that_announces_a_port_binds_it(scene: Scene) -> None:
    scene.port()
    scene.plug("h1")
    assert await scene.settled() == {"h1": ("active", 1)}
    assert scene.ofports == {("h1", "p"): 5}


async def test_the_interface_may_be_there_before_the_port(scene: Scene) -> None:
    scene.plug("h1")
    assert await scene.settled() == {}
    port = scene.port()
    scene.attachments.committed((Change(Port, "p", None, port),))
    assert await scene.settled() == {"h1": ("active", 1)}


async def test_a_port_may_name_its_interface_instead(scene: Scene) -> None:
    scene.plug("h1", "veth9", iface_id=None, ofport=9)
    port = scene.port(host_id="h1", interface_name="veth9")
    scene.attachments.committed((Change(Port, "p", None, port),))
    assert await scene.settled() == {"h1": ("active", 1)}
    assert scene.ofports["h1", "p"] == 9


async def test_a_renumbered_interface_stays_bound(scene: Scene) -> None:
    scene.port()
    scene.plug("h1", ofport=5)
    scene.plug("h1", ofport=6)
    assert await scene.settled() == {"h1": ("active", 1)}
    assert scene.ofports["h1", "p"] == 6


async def test_an_unplugged_interface_unbinds_only_when_the_host_has_told_all(scene: Scene) -> None:
    scene.port()
    scene.plug("h1")
    await scene.settled()
    scene.attachments.interface_removed("h1", "tap0")
    assert await scene.settled() == {"h1": ("active", 1)}
    scene.attachments.host_complete("h1")
    assert await scene.settled() == {}


async def test_the_first_frame_at_a_second_host_moves_the_port(scene: Scene) -> None:
    scene.port()
    scene.plug("h1")
    scene.plug("h2")
    assert await scene.settled() == {"h1": ("active", 1), "h2": ("prepared", 2)}
    await scene.attachments.activate(7, "h2")
    assert await scene.settled() == {"h1": ("releasing", 1), "h2": ("active", 2)}


async def test_two_interfaces_with_one_port_on_one_host_are_nobody(scene: Scene) -> None:
    scene.port()
    scene.plug("h1", "tap0")
    scene.plug("h1", "tap1")
    await scene.settled()
    assert scene.ofports["h1", "p"] is None
    assert scene.attachments.interface_of("p", "h1") is None


async def test_a_port_made_where_its_interface_waits_is_bound_in_the_same_transaction(scene: Scene) -> None:
    scene.plug("h1")
    scene.plug("h2", iface_id="another")
    await scene.settled()
    port = scene.port()
    scene.attachments.accompany(scene.ledger, [Change(Port, "p", None, port)])
    assert scene.ledger.states() == {"h1": ("active", 1)}
    scene.attachments.committed((Change(Port, "p", None, port),))
    assert scene.ofports["h1", "p"] == 5  # known before the next turn compiles
    assert await scene.settled() == {"h1": ("active", 1)}


async def test_nothing_is_bound_where_two_interfaces_claim_to_be_the_port(scene: Scene) -> None:
    scene.plug("h1", "tap0")
    scene.plug("h1", "tap1")
    port = scene.port()
    scene.attachments.accompany(scene.ledger, [Change(Port, "p", None, port)])
    assert scene.ledger.states() == {}


async def test_many_interfaces_at_once_are_bound_together(scene: Scene) -> None:
    for number in range(20):
        scene.port(f"p{number}")
        scene.plug("h1", f"tap{number}", f"p{number}", ofport=number + 1)
    await scene.settled()
    assert len(list(scene.ledger.snapshot.all(Binding))) == 20
    assert scene.transactions == 1


async def test_a_binding_that_is_refused_takes_no_other_along(scene: Scene) -> None:
    for name in ("p", "q"):
        scene.port(name)
        scene.plug("h1", f"tap-{name}", name)
    scene.refuses = "q"
    await scene.settled()
    assert [each.port_id for each in scene.ledger.snapshot.all(Binding)] == ["p"]
    scene.refuses = ""
    scene.plug("h2", "tap-q", "q")
    await scene.settled()
    assert {each.port_id for each in scene.ledger.snapshot.all(Binding)} == {"p", "q"}


async def test_a_move_that_the_data_path_made_alone_is_heard_of_later(scene: Scene) -> None:
    scene.port()
    scene.plug("h1")
    scene.plug("h2")
    await scene.settled()
    await scene.attachments.activate(7, "h2", 9)
    assert await scene.settled() == {"h1": ("active", 1), "h2": ("prepared", 2)}, (
        "the story of another generation"
    )
    await scene.attachments.activate(7, "h2", 1)
    assert await scene.settled() == {"h1": ("releasing", 1), "h2": ("active", 2)}


async def test_a_given_up_move_ends_with_its_interface_and_frees_what_was_kept_for_it(scene: Scene) -> None:
    scene.port()
    for host in ("h1", "h2"):
        scene.attachments.host_complete(host)
        scene.plug(host)
    await scene.settled()
    # when the source goes first, and then the destination too
    scene.attachments.interface_removed("h1", "tap0")
    assert (await scene.settled())["h1"] == ("active", 1)
    scene.attachments.interface_removed("h2", "tap0")
    # then the port is nowhere
    assert await scene.settled() == {}


async def test_given_a_host_that_is_away_when_its_port_is_announced_elsewhere_then_it_keeps_it(
    scene: Scene,
) -> None:
    scene.port()
    scene.plug("h1")
    assert await scene.settled() == {"h1": ("active", 1)}
    scene.attachments.host_away("h1")
    scene.plug("h2")
    assert await scene.settled() == {"h1": ("active", 1)}
    scene.attachments.host_complete("h1")
    assert await scene.settled() == {"h1": ("active", 1), "h2": ("prepared", 2)}


async def test_given_a_host_that_is_away_when_somebody_says_that_it_is_fenced_then_the_port_is_elsewhere(
    scene: Scene,
) -> None:
    port = scene.port()
    scene.plug("h1")
    await scene.settled()
    scene.attachments.host_away("h1")
    scene.plug("h2")
    await scene.settled()
    scene.ledger.put(replace(port, host_id="h2", generation=1))
    binding = binder.prepare(scene.ledger, "p", "h2", Cause(Trigger.API))
    binder.activate(scene.ledger, binding, Cause(Trigger.API))
    assert (await scene.settled())["h2"][0] == "active"
    assert (await scene.settled())["h1"][0] == "releasing"


async def test_given_a_port_that_has_left_a_host_when_another_announces_it_first_then_it_is_there_at_once(
    scene: Scene,
) -> None:
    scene.port()
    scene.plug("h1")
    scene.attachments.host_complete("h1")
    assert await scene.settled() == {"h1": ("active", 1)}
    # both questions wait for one transaction, and the other host's is in front
    scene.plug("h2")
    scene.attachments.interface_removed("h1", "tap0")
    assert await scene.settled() == {"h2": ("active", 2)}


async def test_given_a_port_asked_for_at_a_host_by_name_when_another_announces_it_then_it_stays_where_it_is(
    scene: Scene,
) -> None:
    scene.port(host_id="h1")
    scene.plug("h1")
    scene.attachments.host_complete("h1")
    await scene.settled()
    scene.plug("h2")
    scene.attachments.interface_removed("h1", "tap0")
    assert await scene.settled() == {"h1": ("active", 1)}
