"""The engine: one turn takes all that has changed and compiles it; what is durable is published.

Revisions of the store and reports of the switches only note which keys they touch and ask for a turn; the turn
runs as soon as the event loop is free, so a burst of changes costs one compilation.

A revision is compiled while the store still writes it, and its plan is held until it is durable. If it cannot be
written, the engine goes back to the durable snapshot: the plans held and the way back from them are merged into one
change, which comes to nothing, and no switch has seen any of it.
"""

from collections import deque
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

    def prepare(self, change: PlanChange) -> None:
        """This will be published soon: there is time to get ready for it."""
        ...

    def publish(self, change: PlanChange) -> None:
        """Make the switches hold this."""
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
        self._held: deque[tuple[World, PlanChange | None]] = deque()
        self._undone: PlanChange | None = None
        self._sink = sink
        self._call_soon = call_soon
        self._dirty: set[Key] = set()
        self._asked = False
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
        """The store has a new revision and is writing it."""
        self._accepted = snapshot
        self._touch(changes)

    def committed(self, snapshot: Snapshot, changes: Iterable[Change]) -> None:
        """A revision that was accepted is durable."""
        self._durable = snapshot
        for change in changes:
            if change.cls is Port and change.after is None:
                self.realisation.forget(change.id)
        self._publish_durable()

    def given_up(self, snapshot: Snapshot, changes: Iterable[Change]) -> None:
        """What was accepted after `snapshot`, which is the durable one, could not be written."""
        self._accepted = snapshot
        for _, change in self._held:
            self._undo(change)
        self._held.clear()
        self._touch(changes)

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
        change = self.compiler.advance(self.world, dirty) if dirty else None
        if self._undone is not None:
            self._undo(change)
            change, self._undone = self._undone, None
        self._held.append((self.world, change))
        if change is not None and self._durable.revision < self._accepted.revision:
            self._sink.prepare(change)
        self._publish_durable()

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

    def _undo(self, change: PlanChange | None) -> None:
        """Add to what was compiled in vain and, at last, to what takes it back."""
        if self._undone is None:
            self._undone = change
        elif change is not None:
            self._undone.follow(change)

    def _publish_durable(self) -> None:
        while self._held and not self._durable.revision < self._held[0][0].snapshot.revision:
            self._publish(*self._held.popleft())

    def _publish(self, world: World, change: PlanChange | None) -> None:
        self._published = world
        if change is not None and change.switches:
            self.realisation.published(change)
            self._sink.publish(change)
