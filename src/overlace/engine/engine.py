"""The engine: one turn takes all that has changed, compiles, and publishes.

Commits of the store and reports of the switches only note which keys they touch and ask for a turn; the turn
runs as soon as the event loop is free, so a burst of changes costs one compilation.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

from immutables import Map

from overlace.compiler.compiler import Compiler
from overlace.compiler.plan import PlanChange, SwitchName
from overlace.compiler.reader import World, fabric_ports_key, ofport_key, silent_key
from overlace.engine.realisation import Realisation
from overlace.model.observation import Observations, Place, Silence
from overlace.model.port import Binding, BindingState, Port
from overlace.model.snapshot import Change, Key, Snapshot, touched_keys


class PlanSink(Protocol):
    """Where plans go: the southbound."""

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
        self.compiled = snapshot.revision
        """The revision that the newest plan carries."""
        self._snapshot = snapshot
        self._observations = Observations()
        self._sink = sink
        self._call_soon = call_soon
        self._dirty: set[Key] = set()
        self._asked = False
        self._publish(self.compiler.advance(self.world))

    @property
    def world(self) -> World:
        """What the next turn will compile."""
        return World(self._snapshot, self._observations)

    def committed(self, snapshot: Snapshot, changes: tuple[Change, ...]) -> None:
        """The store has a new revision."""
        self._snapshot = snapshot
        for change in changes:
            self._dirty |= touched_keys(change)
            if change.cls is Port and change.after is None:
                self.realisation.forget(change.id)
        self._ask()

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

    def acknowledged(self, switch: SwitchName, sequence: int) -> None:
        """A switch holds the plan up to `sequence`."""
        self.realisation.acknowledged(switch, sequence)

    def turn(self) -> None:
        """Compile and publish what has changed."""
        self._asked = False
        dirty, self._dirty = self._dirty, set()
        self.compiled = self._snapshot.revision
        if dirty:
            self._publish(self.compiler.advance(self.world, dirty))

    def port_status(self, port_id: str) -> str:
        """ACTIVE, BUILD or DOWN, as the networking API has it."""
        port = self._snapshot.get(Port, port_id)
        active = self.active_binding(port_id)
        if port is None or not port.admin_state_up or active is None:
            return "DOWN"
        if self._observations.ofports.get((active.host_id, port_id)) is None:
            return "DOWN"
        return "BUILD" if self.realisation.waiting_for(port_id) else "ACTIVE"

    def active_binding(self, port_id: str) -> Binding | None:
        """Where the port is active, if it is."""
        bindings = self._snapshot.members(Binding, "port", port_id)
        return next((each for each in bindings if each.state is BindingState.ACTIVE), None)

    def _ask(self) -> None:
        if not self._asked:
            self._asked = True
            self._call_soon(self.turn)

    def _publish(self, change: PlanChange) -> None:
        if change.switches:
            self.realisation.published(change)
            self._sink.publish(change)
