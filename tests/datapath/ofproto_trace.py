"""What Open vSwitch itself says a packet does: ``ovs-appctl ofproto/trace``, read into values.

``trace(switch, "br-int", packet, [CtState.EST])`` -> what left which OpenFlow port, and looking how; packet-ins;
committed zones. All branches (recirculations after ct()) are followed.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.datapath.datapath_actions import TUNNELLED, Seen, execute, parse_actions
from tests.datapath.private_switch import TUNNEL_PORT, PrivateSwitch

from overlace.datapath.field_text import format_condition
from overlace.datapath.fields import CtState, Field
from overlace.datapath.interpreter.effects import Committed, Effect, Sent, ToController
from overlace.datapath.interpreter.packet import Packet
from overlace.datapath.match import Condition
from overlace.datapath.prerequisites import is_data_field

_TUNNEL_FIELDS = (Field.TUN_ID, Field.TUN_DST, Field.TUN_IPV6_DST)
_VNI_MASK = 0xFFFFFF
_FLAG_NAMES = ("new", "est", "rel", "rpl", "inv", "trk", "snat", "dnat")
_INVALID_TTL = 2

Output = tuple[int, tuple[tuple[Field, int], ...]]
"""An OpenFlow port and the header fields of what left it (with tunnel fields on a tunnel port)."""


@dataclass(frozen=True)
class Outcome:
    """What came of a packet, without regard to order."""

    outputs: Counter[Output]
    packet_ins: Counter[str]
    commits: Counter[int]


@dataclass(frozen=True)
class TraceResult:
    """An outcome and the text that ofproto/trace has printed."""

    outcome: Outcome
    text: str

    @property
    def is_that_of_packets(self) -> bool:
        """False where ofproto/trace is mistaken: after ct(table=...) it takes the tunnel destination that flows
        have set for the one that the packet arrived with. Packets do not: `test_against_real_packets`."""
        return "Not tunneling to our own address" not in self.text


def trace(
    switch: PrivateSwitch,
    bridge: str,
    packet: Packet,
    ct_states: Sequence[int] = (),
    tunnel_port: int = TUNNEL_PORT,
    frame: bytes | None = None,
) -> TraceResult:
    """Ask the switch what would happen to a packet (its `Field.IN_PORT` says where it comes in).

    Given the frame that the packet was read from, the switch reads it for itself; the packet says the metadata.
    """
    options = [part for state in ct_states for part in ("--ct-next", _flag_names(state))]
    question = packet_text(packet) if frame is None else packet_text(_metadata_of(packet))
    asked = [question] if frame is None else [question, frame.hex()]
    text = switch.appctl("ofproto/trace", bridge, *asked, *options)
    seen = Seen()
    waiting: dict[int, Packet] = {0: packet.copy()}
    for recirculation, actions in _branches(text):
        if recirculation in waiting:  # else an error has dropped what would have come here
            execute(parse_actions(actions), waiting[recirculation], seen)
            waiting |= seen.recirculated
    ports = openflow_ports(switch, bridge)
    return TraceResult(
        Outcome(
            Counter(
                _output(tunnel_port if port == TUNNELLED else ports[port], sent, tunnel_port)
                for port, sent in seen.sent
            ),
            Counter("invalid_ttl" if reason == _INVALID_TTL else "action" for reason in seen.to_controller),
            Counter(seen.committed),
        ),
        text,
    )


def outcome_of(effects: Iterable[Effect], tunnel_port: int = TUNNEL_PORT) -> Outcome:
    """The same account from the interpreter's effects; a tunnel packet without destination is lost."""
    effects = [effect for effect in effects if not _is_lost(effect, tunnel_port)]
    return Outcome(
        Counter(_output(e.port, e.packet, tunnel_port) for e in effects if isinstance(e, Sent)),
        Counter(e.reason for e in effects if isinstance(e, ToController)),
        Counter(e.zone for e in effects if isinstance(e, Committed)),
    )


def packet_text(packet: Packet) -> str:
    """A packet in the flow syntax that ofproto/trace takes."""
    conditions = (Condition(f, value, f.full_mask) for f, value in packet.fields().items())
    return ",".join(format_condition(condition) for condition in conditions)


def _metadata_of(packet: Packet) -> Packet:
    return Packet({field: value for field, value in packet.fields().items() if not is_data_field(field)})


def openflow_ports(switch: PrivateSwitch, bridge: str) -> dict[int, int]:
    """The OpenFlow port by datapath port, of one bridge."""
    ports: dict[int, int] = {}
    inside = False
    for line in switch.appctl("dpif/show").splitlines():
        if found := re.fullmatch(r"    (\S+) (\d+)/(\d+|none):.*", line):
            if inside and found[3] != "none":
                ports[int(found[3])] = int(found[2])
        elif re.fullmatch(r"  \S+:", line):
            inside = line.strip() == f"{bridge}:"
    return ports


def _branches(text: str) -> list[tuple[int, str]]:
    """(recirculation id, datapath actions) of each section."""
    found: list[tuple[int, str]] = []
    recirculation = 0
    for line in text.splitlines():
        if resumed := re.match(r"recirc\((0x[0-9a-f]+)\) - resume", line):
            recirculation = int(resumed[1], 0)
        elif line.startswith("Datapath actions: "):
            found.append((recirculation, line.removeprefix("Datapath actions: ")))
    return found


def _output(port: int, packet: Packet, tunnel_port: int) -> Output:
    values = {field: value for field, value in packet.fields().items() if is_data_field(field)}
    if port == tunnel_port:
        values |= {field: packet[field] for field in _TUNNEL_FIELDS}
        values[Field.TUN_ID] &= _VNI_MASK
    return port, tuple(values.items())


def _is_lost(effect: Effect, tunnel_port: int) -> bool:
    if not isinstance(effect, Sent) or effect.port != tunnel_port:
        return False
    return not (effect.packet[Field.TUN_DST] or effect.packet[Field.TUN_IPV6_DST])


def _flag_names(state: int) -> str:
    state |= CtState.TRK
    return ",".join(name for bit, name in enumerate(_FLAG_NAMES) if state >> bit & 1)
