"""Traces: the question, the switches that the packet meets, read one after another, and the report."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

from msgspec import structs

from overlace.app.installed_flows import flows_of
from overlace.app.traced_network import Switches, TracedNetwork, tunnels, wires
from overlace.compiler.plan import SwitchName
from overlace.compiler.reader import World
from overlace.compiler.tracing.destination import Ends, Resolver
from overlace.compiler.tracing.finding import Finding
from overlace.compiler.tracing.mtu import above_mtu, too_big
from overlace.compiler.tracing.packet import answer_to, packet_for
from overlace.compiler.tracing.question import Question, parse_question
from overlace.compiler.tracing.report import Difference, Json, Reporter
from overlace.compiler.tracing.scope import Scope, UnknownObjectError
from overlace.datapath.fields import CtState
from overlace.datapath.interpreter import network as interpreter
from overlace.datapath.interpreter.network import Journey, PortPlace, Travel
from overlace.datapath.interpreter.packet import Packet
from overlace.engine.diagnosis import Diagnosis
from overlace.engine.engine import Engine
from overlace.model.network import Network
from overlace.model.port import Binding, BindingState, Port
from overlace.model.site import Host
from overlace.northbound.views import UnknownError
from overlace.southbound.failures import SouthboundError
from overlace.southbound.installed import Installed

_STATES = {"established": CtState.EST, "reply": CtState.EST | CtState.RPL}


class InstalledTracer:
    """See `northbound.views.Tracer`."""

    def __init__(self, engine: Engine, switches: Switches, diagnosis: Diagnosis) -> None:
        self._engine = engine
        self._switches = switches
        self._diagnosis = diagnosis

    async def trace(self, request: Mapping[str, object], project_id: str | None) -> Json:
        """See the protocol."""
        question = parse_question(request)
        world = self._engine.world
        run = _Run(world, self._switches, Scope(world.snapshot, project_id), self._obstacle)
        with known_by_the_api():
            return await run.report(question)

    async def flows_of(self, word: str) -> Json:
        """See the protocol."""
        with known_by_the_api():
            owner = Scope(self._engine.world.snapshot).object(word)
        return await flows_of(owner, self._engine, self._switches)

    def _obstacle(self, port: Port) -> Finding:
        """Why a port that is plugged in nowhere sends nothing."""
        reasons = self._diagnosis.port(port.id)
        first = next((each for each in reasons if each.blocking), None)
        if first is None:
            return Finding("not_plugged", f"port {port.name or port.id} has no interface")
        return Finding(first.ground.value, first.text, first.cure)


class UnreadableError(Exception):
    """A packet came to a switch that cannot be read."""

    def __init__(self, journey: Journey, switch: SwitchName, why: str) -> None:
        super().__init__(why)
        self.journey = journey
        self.switch = switch


@contextmanager
def known_by_the_api() -> Iterator[None]:
    """What nobody knows, in the API's own exception."""
    try:
        yield
    except UnknownObjectError as unknown:
        raise UnknownError(unknown.kind, unknown.word) from unknown


class _Run:
    """One trace. What was read of a switch serves all its packets."""

    def __init__(
        self, world: World, switches: Switches, scope: Scope, obstacle: Callable[[Port], Finding]
    ) -> None:
        self._world = world
        self._switches = switches
        self._scope = scope
        self._obstacle = obstacle
        self._reporter = Reporter(scope, world.observations.ofports)
        self._installed: dict[SwitchName, Installed] = {}
        self._answer: tuple[PortPlace, Packet, TracedNetwork, TracedNetwork] | None = None
        self._meant: Port | None = None

    async def report(self, question: Question) -> Json:
        """All that the question asks for. Raises ValueError, UnknownObjectError."""
        source = self._scope.port(question.source)
        report: Json = {"forward": await self.passage(source, question)}
        report["return"] = await self.answer()
        if question.both:
            report["opposite"] = await self.opposite(source, question)
        return report

    async def passage(self, source: Port, question: Question) -> Json:
        """The packet that the question describes."""
        ends = Resolver(self._scope, source, question).ends()
        self._meant = ends.port
        packet = packet_for(question, source, ends)
        start = self._place(source)
        if start is None:
            return self._not_sent(packet, self._obstacle(source))
        there = self._network(question, planned=False)
        planned = self._network(question, planned=True)
        journey, report = await self._follow(start, packet, there, planned)
        if ends.mac is None and report["verdict"] == "delivered":
            report |= {"verdict": "unanswered", **self._reporter.finding(self._nobody(source, ends))}
        self._measure(report, journey, source, question)
        if question.state == "new" and report["verdict"] == "delivered" and len(journey.deliveries) == 1:
            delivery = journey.deliveries[0]
            back = answer_to(delivery.packet)
            if back is not None:
                self._answer = (delivery.switch, delivery.port), back, there, planned
        return report

    async def answer(self) -> Json | None:
        """What the receiver of a new connection's first packet sends back, and what becomes of it."""
        if self._answer is None:
            return None
        start, packet, there, planned = self._answer
        return (await self._follow(start, packet, there, planned))[1]

    async def opposite(self, source: Port, question: Question) -> Json:
        """The same question from the other end. Raises ValueError when that is no port."""
        meant = self._meant
        if meant is None or not self._scope.sees(meant.project_id):
            raise ValueError("'both' needs a port as destination")
        turned = structs.replace(
            question, source=meant.id, destination=source.id, source_mac=None, source_ip=None, vlan=None
        )
        return await self.passage(meant, turned)

    async def _follow(
        self, start: PortPlace, packet: Packet, there: TracedNetwork, planned: TracedNetwork
    ) -> tuple[Journey, Json]:
        try:
            journey = await self._travel(start, packet, there)
        except UnreadableError as error:
            report = self._reporter.passage(start, packet, error.journey, [])
            return error.journey, report | self._reporter.unreadable(error.switch, str(error))
        differences: list[Difference] = []
        due: Journey | None = None
        if any(self._installed[each.switch].differs for each in journey.visits):
            with suppress(UnreadableError):
                due = await self._travel(start, packet, planned)
                differences = self._differences(journey, due)
        report = self._reporter.passage(start, packet, journey, differences)
        if due is not None and differences:
            report |= self._reporter.unlike_the_plan(report, self._reporter.passage(start, packet, due, []))
        return journey, report

    async def _travel(self, start: PortPlace, packet: Packet, traced: TracedNetwork) -> Journey:
        """Raises UnreadableError with the journey so far."""
        travel = Travel(traced.network, *start, packet, recorded=True)
        while (lacking := travel.advance()) is not None:
            if lacking not in self._installed:
                try:
                    self._installed[lacking] = await self._switches.installed(lacking)
                except SouthboundError as error:
                    raise UnreadableError(travel.journey, lacking, str(error)) from error
            await traced.take_in(lacking, self._installed[lacking])
        return travel.journey

    def _differences(self, journey: Journey, due: Journey) -> list[Difference]:
        """The flows that the packet met and should not have, and those that it should have met."""
        found: dict[Difference, None] = {}
        for visit in due.visits:
            state = self._installed[visit.switch]
            for step in visit.trace.lookups():
                if step.flow in state.missing:
                    found[Difference(visit.switch, "missing", step.flow)] = None
                elif step.flow in state.changed:
                    found[Difference(visit.switch, "changed", step.flow)] = None
        for visit in journey.visits:
            state = self._installed[visit.switch]
            for step in visit.trace.lookups():
                if step.flow in state.foreign:
                    found[Difference(visit.switch, "foreign", step.flow)] = None
        return list(found)

    def _nobody(self, source: Port, ends: Ends) -> Finding:
        network = self._scope.snapshot.get(Network, source.network_id)
        name = "the network" if network is None else f"network {network.name or network.id}"
        text = f"no port of {name} has {ends.destination}: nobody answers, and nothing more is sent"
        cure = "frames to addresses of no port are not for anyone; give that workload a port of the network"
        return Finding("unknown_destination", text, cure, source.project_id)

    def _measure(self, report: Json, journey: Journey, source: Port, question: Question) -> None:
        network = self._scope.snapshot.get(Network, source.network_id)
        if question.size is None or network is None:
            return
        path = max((each.path for each in journey.deliveries), key=len, default=())
        hosts = [hop.switch for hop in path if self._scope.snapshot.get(Host, hop.switch) is not None]
        found = too_big(self._scope.snapshot, network, question.size, hosts)
        if found is not None:
            report |= {"verdict": "dropped", **self._reporter.finding(found), "delivered_to": []}
        elif (above := above_mtu(network, question.size)) is not None:
            report["warning"] = self._reporter.finding(above)

    def _not_sent(self, packet: Packet, finding: Finding) -> Json:
        journey = Journey()
        report = self._reporter.passage(("", 0), packet, journey, [])
        return {**report, "verdict": "not_sent", **self._reporter.finding(finding)}

    def _place(self, port: Port) -> PortPlace | None:
        """Where the port's frames enter: at its active binding, or at one that is only prepared."""
        bindings = sorted(
            self._scope.snapshot.members(Binding, "port", port.id),
            key=lambda each: (each.state is not BindingState.ACTIVE, each.host_id),
        )
        ofports = self._world.observations.ofports
        places = ((each.host_id, ofports.get((each.host_id, port.id))) for each in bindings)
        return next(((host, number) for host, number in places if number is not None), None)

    def _network(self, question: Question, *, planned: bool) -> TracedNetwork:
        snapshot = self._scope.snapshot
        joined = interpreter.Network(
            {},
            wires(snapshot, self._world.observations),
            tunnels(snapshot, self._switches.tunnel_ports()),
        )
        return TracedNetwork(joined, planned, _STATES.get(question.state))
