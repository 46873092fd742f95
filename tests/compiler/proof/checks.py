"""What must hold: after every step, and whenever the switches are settled."""

from collections import Counter
from dataclasses import replace
from typing import Any

from tests.compiler.proof.choice import Choice
from tests.compiler.proof.cloud import Cloud, Place
from tests.compiler.proof.conversations import group_cast, unicast
from tests.compiler.proof.meaning import Meaning, Outcome, Outside, Said

from overlace.compiler.compiler import Compiler
from overlace.compiler.pipeline import PHYSICAL_OFPORT, Table, is_learned
from overlace.compiler.plan import SwitchPlan
from overlace.datapath.fields import VLAN_PRESENT, Field
from overlace.datapath.interpreter import Packet, follow
from overlace.datapath.interpreter.conntrack_table import ConntrackTable
from overlace.datapath.interpreter.network import Delivery, Journey
from overlace.kit.addresses import Mac
from overlace.model.port import Binding, BindingState, Port


def warm_is_cold(cloud: Cloud) -> None:
    """The plan that was kept up to date is the one that is compiled from nothing."""
    cold = Compiler()
    cold.advance(cloud.world.world)
    assert _contents(cloud.compiler) == _contents(cold)


def held_is_planned(cloud: Cloud) -> None:
    """A settled switch holds the flows of its plan, and nothing else."""
    if not cloud.switches.settled:
        return
    for name, held in cloud.switches.by_name.items():
        if held.connected:
            assert not held.contents.held_out, held.contents.held_out
            plan = cloud.compiler.switch_plan(name)
            planned = {flow.key: flow for fragment in plan.values() for flow in fragment.flows}
            assert held.flows() == planned, name


def frames_fare_as_meant(cloud: Cloud, choice: Choice) -> None:
    """Conversations between current switches fare as the model says; nothing crosses tenants at any time."""
    speakers = sorted(cloud.plugged)
    if not speakers:
        return
    if choice.one_of((True, False, False)):
        _frames_come_in(cloud, choice)
        return
    place = choice.one_of(speakers)
    trial = _Trial(cloud)
    interface = cloud.plugged[place]
    one = cloud.world.snapshot.get(Port, interface.port_id)
    if one is None:
        trial.send(place, Packet({}))
        return
    others = [each for each in cloud.plugged.values() if each.network_id == interface.network_id != ""]
    other = cloud.world.snapshot.get(Port, choice.one_of(others).port_id)
    conversation = (
        unicast(choice, one, other) if other is not None and choice.one_of((True, True, False)) else None
    )
    if conversation is None:
        trial.say(place, group_cast(choice, one))
        return
    there = next(
        (p for p, each in sorted(cloud.plugged.items()) if other and each.port_id == other.id), place
    )
    trial.say(place, conversation.first)
    if choice.one_of((False, True)):
        trial.say(there, conversation.error)
    trial.say(there, conversation.reply)
    trial.say(place, conversation.later)


def _frames_come_in(cloud: Cloud, choice: Choice) -> None:
    """From a physical network, mostly where a gateway is: to a port, to everybody, or in the name of a port."""
    ways = Meaning(cloud.world.world).ways_in()
    anywhere = choice.one_of(sorted(cloud.switches.by_name)), PHYSICAL_OFPORT + choice.one_of((1, 2))
    way, network_id = (*anywhere, choice.one_of((0, 7, 8))), ""
    mostly = choice.one_of(range(4))
    if ways and mostly:
        way, network_id = choice.one_of(ways)
    ports = sorted(cloud.world.snapshot.all(Port), key=lambda port: port.id)
    known = [each for each in ports if network_id in ("", each.network_id)]
    if not known:
        return
    one, other = choice.one_of(known), choice.one_of(known)
    speaker = replace(
        one, mac_address=choice.one_of((Mac(0x0200000000DD), Mac(0x0200000000DD), one.mac_address))
    )
    conversation = unicast(choice, speaker, other)
    frames = [group_cast(choice, speaker), *([conversation.first] if conversation else [])]
    _Trial(cloud).come_in(way, choice.one_of(frames))


class _Trial:
    """One conversation, in the switches and in the model."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._meaning = Meaning(cloud.world.world)
        self._is_understood = True
        """False once a frame was sent that the model knows nothing of: what firewalls remember is open then."""
        for held in cloud.switches.by_name.values():
            tracker = held.switch.surroundings.conntrack
            assert isinstance(tracker, ConntrackTable)
            tracker.flush()

    def say(self, place: Place, said: Said | None) -> None:
        """Let a frame be sent, and compare where the model has an opinion."""
        if said is None:
            return
        journey = self.send(place, said.packet)
        sender = self._active_binding(place)
        self._is_understood = self._is_understood and sender is not None and self._is_comparable(place)
        if not self._is_understood or sender is None:
            return
        if not self._is_way_comparable(sender.network_id, said.packet):
            self._is_understood = False
            return
        meant = self._among_current(self._meaning.outcome(sender, said))
        seen = self._seen(journey, place)
        assert seen == meant, f"{said}\nfrom {place}: {seen}, but is to be {meant}"

    def come_in(self, way: Outside, said: Said) -> None:
        """Let a frame come from a physical network, and compare."""
        host, ofport, vlan = way
        packet = said.packet.copy()
        packet[Field.VLAN_TCI] = VLAN_PRESENT | vlan if vlan else 0
        journey = follow(self._cloud.switches.network, host, ofport, packet)
        self._forget_learned()
        outside = [each for each in journey.deliveries if _is_outside(each)]
        assert not outside, f"{packet}\nfrom {way} is let out again at {outside}"
        networks = {
            self._cloud.plugged[p].network_id
            for each in journey.deliveries
            if (p := (each.switch, each.port)) in self._cloud.plugged
        }
        assert len(networks) <= 1, f"{packet}\nfrom {way} comes to {networks}"
        network = dict(self._meaning.ways_in()).get(way, "")
        if self._is_comparable((host, None)) and self._is_way_comparable(network, said.packet):
            meant = self._among_current(self._meaning.outcome_from_outside(way, said))
            seen = self._seen(journey, (host, ofport))
            assert seen == meant, f"{said}\nfrom {way}: {seen}, but is to be {meant}"

    def _is_way_comparable(self, network_id: str, packet: Packet) -> bool:
        """Whether the model knows what the hosts hold that would send a frame on to where its port is served."""
        return all(self._is_comparable((host, None)) for host in self._meaning.by_way_of(network_id, packet))

    def send(self, place: Place, packet: Packet) -> Journey:
        """Let a frame be sent; it comes to no other tenant, and to nobody twice."""
        journey = follow(self._cloud.switches.network, *place, packet)
        self._forget_learned()
        sender = self._cloud.plugged[place]
        assert not any(loss.reason == "forwarding loop" for loss in journey.losses), f"{packet} loops"
        for delivery in journey.deliveries:
            receiver = self._cloud.plugged.get((delivery.switch, delivery.port))
            assert receiver is None or receiver.network_id == sender.network_id, (
                f"{packet}\nfrom {sender} to {receiver}: another tenant's"
            )
        return journey

    def _seen(self, journey: Journey, place: Place) -> Outcome:
        count = Counter((delivery.switch, delivery.port) for delivery in journey.deliveries)
        current = all(held.current for held in self._cloud.switches.by_name.values())
        if current:
            assert all(many == 1 for many in count.values()), f"delivered more than once: {count}"
        outside = {_way_out(each) for each in journey.deliveries if _is_outside(each)}
        # a host that is cut off goes on being the gateway that it was, until it returns
        once = len(outside) <= 1 or not (current and self._cloud.switches.settled)
        assert once, f"let out more than once: {outside}"
        comparable = {p for p in count if self._is_comparable(p) and p in self._cloud.plugged}
        way = next((each for each in outside if self._is_comparable((each[0], None))), None)
        receivers = ((p[0], self._cloud.plugged[p].port_id) for p in comparable if p != place)
        return Outcome(frozenset(receivers), place in count, bool(journey.packet_ins), way)

    def _among_current(self, meant: Outcome) -> Outcome:
        way = meant.outside if meant.outside and self._is_comparable((meant.outside[0], None)) else None
        receivers = frozenset(r for r in meant.receivers if self._is_comparable(r))
        return replace(meant, receivers=receivers, outside=way)

    def _is_comparable(self, place: tuple[str, object]) -> bool:
        return self._cloud.switches.settled and self._cloud.switches.by_name[place[0]].connected

    def _active_binding(self, place: Place) -> Binding | None:
        interface = self._cloud.plugged[place]
        binding = self._cloud.world.snapshot.get(Binding, f"{interface.port_id}@{interface.host}")
        known = self._cloud.world.observations.ofports.get((interface.host, interface.port_id))
        if binding is None or binding.state is not BindingState.ACTIVE or known != interface.ofport:
            return None
        return binding

    def _forget_learned(self) -> None:
        for held in self._cloud.switches.by_name.values():
            for flow in held.switch.tables.flows(Table.OVERRIDE):
                if is_learned(flow.cookie):
                    held.switch.tables.remove(flow.key)


def _is_outside(delivery: Delivery) -> bool:
    return PHYSICAL_OFPORT < delivery.port <= PHYSICAL_OFPORT + 999


def _way_out(delivery: Delivery) -> Outside:
    tag = delivery.packet[Field.VLAN_TCI]
    return delivery.switch, delivery.port, tag & 0xFFF if tag & VLAN_PRESENT else 0


def _contents(compiler: Compiler) -> dict[str, dict[Any, Any]]:
    return {switch: _content(plan) for switch, plan in compiler.plan.items() if plan}


def _content(plan: SwitchPlan) -> dict[Any, Any]:
    return {
        fragment_id: (fragment.flows, fragment.groups, fragment.meters, fragment.tunnel_ports)
        for fragment_id, fragment in plan.items()
    }
