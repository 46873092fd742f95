"""The engine: one turn takes all that has changed, compiles it and publishes it.

Revisions of the store and reports of the switches only note which keys they touch and ask for a turn; the turn
runs as soon as the event loop is free, so a burst of changes costs one compilation.

A revision is compiled and published while the disk still syncs it; the bytes that say it wait until it is durable
(`PlanSink`), so that no switch holds what the power's end could take back.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from immutables import Map

from overlace.compiler.compiler import Compiler
from overlace.compiler.plan import PlanChange, SwitchName
from overlace.compiler.reader import World, fabric_ports_key, lost_key, ofport_key, silent_key
from overlace.engine.realisation import Realisation
from overlace.kit.revision import Revision
from overlace.model.observation import Observations, Place, Silence
from overlace.model.port import Binding, BindingState, Port
from overlace.model.snapshot import Change, Key, Snapshot, touched_keys


class PlanSink(Protocol):
    """Where plans go: the southbound."""

    def publish(self, change: PlanChange, revision: Revision) -> None:
        """Make the switches hold this, as soon as the revision that it was compiled of is durable."""
        ...

    def durable(self, revision: Revision) -> None:
        """All revisions up to this one are."""
        ...


class Engine:
    """Owns the compiler and the observations; everything runs on the event loop's thread.

    `call_soon` is the event loop's, or in tests a list to run by hand.
    """

    def __init__(
        self, snapshot: Snapshot, sink: PlanSink, call_soon: Callable[[Callable[[], None]], object]
    ) -> None:
        self.compiler = Compiler()
        self.realisation = Realisation()
        self._durable = self._accepted = snapshot
        self._observations = Observations()
        self._published = self.world
        self._sink = sink
        self._call_soon = call_soon
        self._dirty: set[Key] = set()
        self._asked = False
        sink.durable(snapshot.revision)
        self._publish(self.world, self.compiler.advance(self.world))

    @property
    def compiled(self) -> Revision:
        """The revision of the newest plan that was published."""
        return self._published.snapshot.revision

    @property
    def world(self) -> World:
        """What the next turn will compile."""
        return World(self._accepted, self._observations)

    def accepted(self, snapshot: Snapshot, changes: Iterable[Change]) -> None:
        """The store has a new revision, which is not yet durable."""
        self._accepted = snapshot
        self._touch(changes)

    def committed(self, snapshot: Snapshot, changes: Iterable[Change]) -> None:
        """A revision that was accepted is durable."""
        self._durable = snapshot
        for change in changes:
            if change.cls is Port and change.after is None:
                self.realisation.forget(change.id)
        self._sink.durable(snapshot.revision)

    def observed_ofport(self, place: Place, number: int | None) -> None:
        """A workload interface has an OpenFlow port, or has it no more."""
        if self._observations.ofports.get(place) != number:
            self._observations = self._observations.with_ofport(place, number)
            self._dirty.add(ofport_key(place))
            self._ask()

    def observed_fabric_ports(self, node: str, ports: Mapping[str, int]) -> None:
        """These interfaces of a host or transit switch have a carrier, under these OpenFlow port numbers."""
        if self._observations.fabric_ports.get(node) != ports:
            self._observations = self._observations.with_fabric_ports(node, Map(ports))
            self._dirty.add(fabric_ports_key(node))
            self._ask()

    def observed_silence(self, host: str, silences: frozenset[Silence]) -> None:
        """These tunnel addresses of the host are silent now, and no others of it."""
        if self._observations.silent.get(host, frozenset()) != silences:
            self._observations = self._observations.with_silent(host, silences)
            self._dirty.add(silent_key(host))
            self._ask()

    def observed_lost(self, host: str, lost: bool) -> None:
        """Neither the controller nor any other host hears the host, or somebody does again."""
        if (host in self._observations.lost) != lost:
            self._observations = self._observations.with_lost(host, lost)
            self._dirty.add(lost_key(host))
            self._ask()

    def acknowledged(self, switch: SwitchName, sequence: int) -> None:
        """A switch holds the plan up to `sequence`."""
        self.realisation.acknowledged(switch, sequence)

    def turn(self) -> None:
        """Compile and publish what has changed."""
        self._asked = False
        dirty, self._dirty = self._dirty, set()
        self._publish(self.world, self.compiler.advance(self.world, dirty) if dirty else None)

    def port_status(self, port_id: str) -> str:
        """ACTIVE, BUILD or DOWN, as the networking API has it."""
        port = self._durable.get(Port, port_id)
        active = self.active_binding(port_id)
        if port is None or not port.admin_state_up or active is None:
            return "DOWN"
        if self._observations.ofports.get((active.host_id, port_id)) is None:
            return "DOWN"
        done = self.is_published(port_id) and not self.realisation.waiting_for(port_id)
        return "ACTIVE" if done else "BUILD"

    def is_published(self, port_id: str) -> bool:
        """Whether the switches were told the port as it is: its intent, where it is active, and its OpenFlow port.

        Between a change and its turn nobody is awaited yet, and nothing is done either.
        """
        told, seen = self._published.observations.ofports, self._observations.ofports
        snapshot, active = self._published.snapshot, self.active_binding(port_id)
        if snapshot.get(Port, port_id) is not self._durable.get(Port, port_id):
            return False
        if active is None:
            return True
        place = (active.host_id, port_id)
        return snapshot.get(Binding, active.id) is active and told.get(place) == seen.get(place)

    def active_binding(self, port_id: str) -> Binding | None:
        """Where the port is active, if it is."""
        bindings = self._durable.members(Binding, "port", port_id)
        return next((each for each in bindings if each.state is BindingState.ACTIVE), None)

    def _ask(self) -> None:
        if not self._asked:
            self._asked = True
            self._call_soon(self.turn)

    def _touch(self, changes: Iterable[Change]) -> None:
        for change in changes:
            self._dirty |= touched_keys(change)
        self._ask()

    def _publish(self, world: World, change: PlanChange | None) -> None:
        self._published = world
        if change is not None and change.switches:
            self.realisation.published(change)
            self._sink.publish(change, world.snapshot.revision)
