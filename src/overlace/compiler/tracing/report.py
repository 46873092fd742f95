"""A journey as JSON values: verdict, hops, the flow and cause of every step, and what switches lack.

A project that asks about its own ports learns what became of its packet and which of its own objects decided,
but no host's name or address and nothing of other projects.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from overlace.compiler.cause import Cause, Causes
from overlace.compiler.cause_text import name_of
from overlace.compiler.pipeline import PHYSICAL_OFPORT, Table
from overlace.compiler.tracing.explain import Explainer
from overlace.compiler.tracing.finding import Finding
from overlace.compiler.tracing.packet import packet_text
from overlace.compiler.tracing.scope import Scope
from overlace.datapath.fields import Field
from overlace.datapath.flow import Flow
from overlace.datapath.interpreter.effects import Dropped, Effect, Learned, Sent, ToController
from overlace.datapath.interpreter.network import Journey, Loss, PortPlace, Visit
from overlace.datapath.interpreter.packet import Packet
from overlace.datapath.interpreter.trace import TableStep
from overlace.datapath.text import describe_flow
from overlace.model.observation import Place
from overlace.model.port import Port
from overlace.model.site import Host, PhysicalBridge

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Difference:
    """A flow that took part in a packet's way and is not on the switch as the plan wants it."""

    switch: str
    kind: str
    """``missing``, ``changed`` or ``foreign``."""
    flow: Flow
    """The wanted flow; the installed one where it is foreign."""


class Reporter:
    """Writes reports for one caller."""

    def __init__(self, scope: Scope, ofports: Mapping[Place, int]) -> None:
        self._scope = scope
        self._causes = Causes(scope.snapshot)
        self._explainer = Explainer(self._causes, ofports)
        self._ports = {(host, number): key for (host, key), number in ofports.items()}
        self._aliases: dict[str, str] = {}

    def passage(
        self, start: PortPlace, packet: Packet, journey: Journey, differences: list[Difference]
    ) -> Json:
        """The way of one packet."""
        hops = [
            self._hop(visit) for visit in journey.visits
        ]  # first, so that hosts are numbered in their order
        kind, finding = self._verdict(start, journey)
        report: Json = {
            "packet": packet_text(packet),
            "verdict": kind,
            **self.finding(finding),
            "delivered_to": [self._delivered(each.switch, each.port) for each in journey.deliveries],
            "hops": hops,
            "differences": [self._difference(each) for each in differences],
        }
        return report

    def finding(self, finding: Finding) -> Json:
        """What was found, in words that the caller may read."""
        if self._scope.project_id is None or finding.project_id == self._scope.project_id:
            return {"reason": finding.kind, "summary": finding.text, "cure": finding.cure}
        text = _HIDDEN.get(finding.kind, "it ended outside of this project")
        return {"reason": finding.kind, "summary": text, "cure": "ask the administrator"}

    def unlike_the_plan(self, report: Json, planned: Json) -> Json:
        """What to say instead when the packet would fare otherwise on switches as the plan wants them."""
        told: Json = {"planned": planned["verdict"]}
        if planned["verdict"] == report["verdict"]:
            return told
        differences = report["differences"]
        assert isinstance(differences, list)
        summary = "; ".join(str(each["text"]) for each in differences)
        hosts = {str(each["host"]) for each in differences}
        cure = "the next audit repairs it"
        if self._scope.project_id is None:
            cure = " and ".join(f"overlace host audit {host}" for host in sorted(hosts))
        return told | {"reason": "unlike_the_plan", "summary": summary, "cure": cure}

    def unreadable(self, switch: str, why: str) -> Json:
        """What to say instead when the packet came to a switch that cannot be read."""
        host = self.host(switch)
        text = f"the flows of {host} cannot be read: {why.replace(switch, host)}"
        told: Json = {"verdict": "unknown", "reason": "unreadable", "summary": text}
        return told | {"cure": f"see: overlace why {switch}" if self._scope.project_id is None else ""}

    def host(self, name: str) -> str:
        """A host's name; for projects a number in order of appearance."""
        if self._scope.project_id is None:
            return name
        return self._aliases.setdefault(name, f"host {len(self._aliases) + 1}")

    def _verdict(self, start: PortPlace, journey: Journey) -> tuple[str, Finding]:
        own = self._scope.project_id
        away = [each for each in journey.deliveries if (each.switch, each.port) != start]
        if away:
            names = ", ".join(self._name(each.switch, each.port) for each in away)
            return "delivered", Finding("delivered", f"delivered to {names}", project_id=own)
        if journey.deliveries:
            return "answered", Finding("answered", "the switch answers itself", project_id=own)
        if journey.packet_ins:
            return "controller", Finding(
                "controller", "handed to the controller, which answers", project_id=own
            )
        if not journey.losses:
            return "dropped", Finding("dropped", "nothing came of the packet", project_id=own)
        return "dropped", self._explainer.explain(journey.losses[-1])

    def _name(self, switch: str, number: int) -> str:
        port = self._scope.snapshot.get(Port, self._ports.get((switch, number), ""))
        if port is None and (bridge := self._physical(switch, number)) is not None:
            return f"physical network {bridge.physical_network}, by bridge {bridge.bridge} of {self.host(switch)}"
        if port is None:
            return f"OpenFlow port {number} of {self.host(switch)}, which is no port of Overlace"
        if not self._scope.sees(port.project_id):
            return "a port of another project"
        return f"port {name_of(port)} at {self.host(switch)}"

    def _physical(self, switch: str, number: int) -> PhysicalBridge | None:
        """What lies beyond a patch port; told to administrators."""
        host = self._scope.snapshot.get(Host, switch) if self._scope.project_id is None else None
        bridges = host.physical_networks if host is not None else ()
        return next((each for each in bridges if PHYSICAL_OFPORT + each.number == number), None)

    def _delivered(self, switch: str, number: int) -> Json:
        port = self._scope.snapshot.get(Port, self._ports.get((switch, number), ""))
        seen = port is not None and self._scope.sees(port.project_id)
        shown: Json = {"host": self.host(switch), "port_id": None, "name": ""}
        if seen and port is not None:
            shown |= {"port_id": port.id, "name": port.name}
        return shown

    def _hop(self, visit: Visit) -> Json:
        sender = visit.path[-1].switch if visit.path else None
        source = self._name(visit.switch, visit.in_port) if sender is None else self.host(sender)
        return {
            "host": self.host(visit.switch),
            "from": source,
            "steps": [self._step(step) for step in visit.trace.lookups()],
            "outcomes": [text for each in visit.trace.effects if (text := self._outcome(visit, each))],
        }

    def _step(self, step: TableStep) -> Json:
        known = step.table in set(Table)
        shown: Json = {"table": Table(step.table).name if known else str(step.table), "number": step.table}
        if step.flow is None:
            rules = step.table in (Table.EGRESS_RULE, Table.INGRESS_RULE)
            return {**shown, "cause": None, "text": "no rule matches" if rules else "no flow"}
        shown |= self._cause(self._causes.of(step.flow))
        if self._scope.project_id is None:
            shown["flow"] = describe_flow(step.flow)
        return shown

    def _cause(self, cause: Cause) -> Json:
        if cause.kind != "base" and not self._scope.sees(cause.project_id):
            return {"cause": {"kind": cause.kind}, "text": f"a {cause.kind.replace('_', ' ')} of another"}
        named = {"kind": cause.kind, "id": cause.id, "name": cause.name}
        if cause.rule_id:
            named["rule_id"] = cause.rule_id
        return {"cause": named, "text": cause.text}

    def _outcome(self, visit: Visit, effect: Effect) -> str:
        match effect:
            case Sent(port, packet):
                return self._sent(visit, port, packet)
            case ToController():
                return "handed to the controller"
            case Dropped():
                loss = Loss(visit.switch, effect.reason, visit.path, effect)
                if effect.table == Table.DELIVER and effect.flow is not None:
                    return effect.reason
                return f"dropped: {self.finding(self._explainer.explain(loss))['summary']}"
            case Learned(flow):
                return (
                    f"learned: {self._causes.of(flow).text}" if self._scope.project_id is None else "learned"
                )
        return ""

    def _sent(self, visit: Visit, port: int, packet: Packet) -> str:
        if port == visit.in_port:
            return "answered"
        if (visit.switch, port) in self._ports:
            return f"delivered to {self._name(visit.switch, port)}"
        if self._scope.project_id is not None:
            return "sent to another host"
        address = packet[Field.TUN_DST] or packet[Field.TUN_IPV6_DST]
        if not address:
            return f"sent out of OpenFlow port {port}"
        known = IPv4Address(address) if packet[Field.TUN_DST] else IPv6Address(address)
        hosts = self._scope.snapshot.all(Host)
        owners = (host.id for host in hosts if known in {each.address for each in host.endpoints})
        return f"sent to {next(owners, 'nobody')} ({known}), wire identifier {packet[Field.TUN_ID]}"

    def _difference(self, difference: Difference) -> Json:
        cause = self._cause(self._causes.of(difference.flow))
        host = self.host(difference.switch)
        text = _DIFFERENCES[difference.kind].format(host=host, cause=cause["text"])
        shown: Json = {"host": host, "kind": difference.kind, **cause, "text": text}
        if self._scope.project_id is None:
            shown["flow"] = describe_flow(difference.flow)
        return shown


_HIDDEN: Mapping[str, str] = {
    "no_rule": "the security groups of the other port do not permit it",
    "remote_group": "the security groups of the other port do not permit it",
    "no_security_group": "the security groups of the other port do not permit it",
    "destination_down": "the port with that address is active at no host",
    "port_not_here": "the port with that address has no working interface",
    "unknown_destination": "no port has that address",
}
_DIFFERENCES: Mapping[str, str] = {
    "missing": "{host} lacks a flow of {cause}",
    "changed": "{host} has another flow in place of that of {cause}",
    "foreign": "{host} has a flow that is not in the plan: {cause}",
}
