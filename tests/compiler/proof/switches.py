"""The switches of the proof: each holds what it was last told, by the southbound's own difference and order.

A change reaches switches one after another, as `Succession` lets it; a switch that is cut off forwards on with
what it has; one that returns is made equal to the plan at once, in one bundle.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from overlace.compiler.pipeline import TUNNEL_OFPORT, is_learned
from overlace.compiler.plan import FragmentId, PlanChange, SwitchChange
from overlace.datapath.flow import Flow, FlowKey
from overlace.datapath.interpreter import Network, Surroundings, Switch, Tables, TunnelPort
from overlace.datapath.interpreter.conntrack_table import ConntrackTable
from overlace.kit.addresses import IPAddress
from overlace.southbound.contents import Contents
from overlace.southbound.operations import TableOperations
from overlace.southbound.order import order
from overlace.southbound.pending import PendingChange
from overlace.southbound.succession import Succession

_GRACE = 1.0
_ALL = 1 << 62
"""As the hub says it of a switch that is lost: it is waited for no longer."""


@dataclass
class HeldSwitch:
    """One switch: `contents` is what the southbound wants of it, `switch` what it holds."""

    contents: Contents = field(default_factory=lambda: Contents(is_learned, lambda flow: flow))
    switch: Switch = field(default_factory=lambda: Switch(Tables(), Surroundings(conntrack=ConntrackTable())))
    waiting: PendingChange = field(default_factory=PendingChange)
    connected: bool = True

    @property
    def current(self) -> bool:
        """True when it has done all that it was told."""
        return self.connected and not self.waiting

    def take(self) -> int:
        """Do what waits, which is one change however many they were; returns the newest number."""
        change, sequence = self.waiting.take()
        operations = self.contents.apply(change)
        if self.connected:
            self._do(operations)
        return sequence

    def resynchronise(self) -> int:
        """Become equal to the plan; returns the number of the last change (-1: none waited)."""
        sequence = -1
        if self.waiting:
            sequence = self.take()
        held = self.switch.tables
        self.connected = True
        self._do(
            self.contents.table.difference(list(held), list(held.groups.values()), list(held.meters.values()))
        )
        return sequence

    def flows(self) -> dict[FlowKey, Flow]:
        """What is installed, without what the data path has learned."""
        return {flow.key: flow for flow in self.switch.tables if not is_learned(flow.cookie)}

    def _do(self, operations: TableOperations) -> None:
        tables = self.switch.tables
        for batch in order(operations):
            for group in (*batch.groups_added, *batch.groups_changed):
                tables.groups[group.group_id] = group
            for flow in batch.flows_put:
                tables.add(flow)
            for flow in batch.flows_removed:
                tables.remove(flow.key)
            for group in batch.groups_removed:
                del tables.groups[group.group_id]


class Switches:
    """All of them, and the order in which changes come to them."""

    def __init__(self) -> None:
        self.by_name: dict[str, HeldSwitch] = {}
        self.network = Network({})
        self._now = 0.0
        self._done: dict[str, int] = {}
        self._sequence = 0
        self._succession = Succession(self._publish, self._leaving, self._answers, _GRACE)

    def switch(self, name: str) -> HeldSwitch:
        """The switch of a host; one that nobody has seen yet is empty."""
        held = self.by_name.get(name)
        if held is None:
            held = self.by_name[name] = HeldSwitch()
            self.network.switches[name] = held.switch
        return held

    def join(self, name: str, addresses: tuple[IPAddress, ...]) -> None:
        """A host is set up (anew): its bridge is empty, and gets nothing before it has been compared."""
        held = HeldSwitch(connected=False)
        known = self.by_name.get(name)
        if known is not None:
            held.contents = known.contents
            held.waiting = known.waiting
        self.by_name[name] = held
        self.network.switches[name] = held.switch
        self.network.tunnel_ports[name, TUNNEL_OFPORT] = TunnelPort(name, TUNNEL_OFPORT, addresses)
        self._heard(name, held.resynchronise())

    def publish(self, change: PlanChange) -> None:
        """Hand a change of the plan to the southbound."""
        self._sequence = change.sequence
        self._succession.publish(change, self._now)

    def deliver(self, name: str) -> None:
        """One change reaches one switch."""
        held = self.by_name[name]
        if held.connected and held.waiting:
            self._heard(name, held.take())

    def settle(self) -> None:
        """Everything reaches everyone who is connected."""
        while busy := [name for name, held in self.by_name.items() if held.connected and held.waiting]:
            for name in busy:
                self.deliver(name)

    def time_passes(self) -> None:
        """Longer than removals wait for anyone."""
        self._now += 2 * _GRACE
        self._succession.tick(self._now)

    def cut(self, name: str) -> None:
        """The controller loses a switch, which goes on as it is."""
        self.by_name[name].connected = False
        self._succession.heard(name, _ALL)

    def restore(self, name: str) -> None:
        """It is back, and compared."""
        held = self.by_name[name]
        if not held.connected:
            self._heard(name, held.resynchronise())

    @property
    def settled(self) -> bool:
        """True when all that are connected have all that the plan says."""
        return not self._succession.waiting and all(
            held.current for held in self.by_name.values() if held.connected
        )

    def done(self) -> int:
        """The change up to which every holder has done everything."""
        return min((self._worth(name) for name in self.by_name), default=self._sequence)

    def _worth(self, name: str) -> int:
        held = self.by_name[name]
        if held.current:
            return self._succession.done_up_to(name, self._sequence)
        return self._succession.done_up_to(name, self._done.get(name, 0))

    def _heard(self, name: str, sequence: int) -> None:
        self._done[name] = max(sequence, self._done.get(name, 0))
        self._succession.heard(name, sequence)

    def _publish(self, names: Sequence[str], change: SwitchChange, sequence: int) -> None:
        for name in names:
            self.switch(name).waiting.merge(change, sequence)

    def _leaving(self, name: str, fragments: set[FragmentId]) -> None:
        self.switch(name).contents.leaving = fragments

    def _answers(self, name: str) -> bool:
        return self.switch(name).connected
