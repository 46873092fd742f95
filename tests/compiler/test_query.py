"""Given connections behind stateful rules, when their port has moved, then they go on, and nothing else comes in."""

from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address

import pytest
from tests.compiler.worlds import WorldBuilder

from overlace.compiler.compiler import Compiler
from overlace.compiler.pipeline import ASKED, KNOWN, LATE_FRAMES, TUNNEL_OFPORT
from overlace.datapath.actions import Goto
from overlace.datapath.fields import Field
from overlace.datapath.interpreter import Network, Surroundings, Switch, Tables, TunnelPort, build, deliver
from overlace.datapath.interpreter.conntrack_table import ConntrackTable
from overlace.datapath.interpreter.packet import Packet
from overlace.kit.addresses import Mac
from overlace.model.policy import Direction, EtherType
from overlace.model.port import Binding, BindingState
from overlace.model.site import Host
from overlace.model.trail import Trail

PEER, MOVED, OTHER, OPEN = 11, 12, 13, 14
PORTS = {"peer": (PEER, "h3"), "other": (OTHER, "h3"), "open": (OPEN, "h1")}
ACTIVE, PREPARED, RELEASING = BindingState.ACTIVE, BindingState.PREPARED, BindingState.RELEASING
SYN, ACK = 0x02, 0x10
Place = tuple[str, int]
FAMILIES = (EtherType.IPV4, EtherType.IPV6)


class Sites:
    """Hosts whose switches keep their connections while their tables change. A `client` may only begin connections, a
    `server` only be reached at UDP port 80 and by ICMP."""

    def __init__(self) -> None:
        self.tracked = {host: ConntrackTable() for host in ("h1", "h2", "h3")}

    def become(self, group: str, *left: str, zone: int = MOVED, **states: BindingState) -> None:
        """The moved port's bindings, with their zone, and the hosts that it has left."""
        world = WorldBuilder()
        world.hosts(*self.tracked)
        world.network("n", 1)
        world.group("client", 1)
        world.group("server", 2)
        world.group("any", 3)
        world.permit_everything("any")
        for number, family in enumerate(FAMILIES):
            world.permit("client", number, Direction.EGRESS, ethertype=family)
            at_80 = {"protocol": "udp", "port_range_min": 80, "port_range_max": 80}
            world.permit("server", number, Direction.INGRESS, ethertype=family, **at_80)
            icmp = "icmp" if family is EtherType.IPV4 else "ipv6-icmp"
            world.permit("server", 2 + number, Direction.INGRESS, ethertype=family, protocol=icmp)
        for name, (octet, host) in PORTS.items():
            groups = () if name == "open" else ("any",)
            world.bind(world.port(name, octet, "n", octet, *groups), host, octet)
        port = replace(world.port("moved", MOVED, "n", MOVED, group), generation=5)
        world.put(port)
        for generation, (host, state) in enumerate(states.items(), start=1):
            world.bind(port, host, MOVED, state, generation)
            bound = world.snapshot.get(Binding, f"moved@{host}")
            assert bound is not None
            world.put(replace(bound, zone=zone))
        for host in left:
            since = datetime(2026, 1, 1, tzinfo=UTC)
            world.put(Trail(port_id="moved", network_id="n", host_id=host, zone=MOVED, since=since))
        self.network = self._network(world)

    def gotos(self) -> list[tuple[int, int]]:
        """From which table to which the plans go."""
        flows = (flow for switch in self.network.switches.values() for flow in switch.tables)
        return [(flow.table, act.table) for flow in flows for act in flow.actions if isinstance(act, Goto)]

    def reach(self, place: Place, packet: Packet) -> list[Place]:
        """Where a packet comes out."""
        return [(each.switch, each.port) for each in deliver(self.network, *place, packet)]

    def _network(self, world: WorldBuilder) -> Network:
        compiler = Compiler()
        compiler.advance(world.world)
        switches, ports = {}, []
        for host, tracked in self.tracked.items():
            plan = compiler.switch_plan(host).values()
            tables = Tables(
                (f for part in plan for f in part.flows), (g for part in plan for g in part.groups)
            )
            switches[host] = Switch(tables, Surroundings(conntrack=tracked))
            known = world.snapshot.get(Host, host)
            assert known is not None
            ports.append(TunnelPort(host, TUNNEL_OFPORT, known.addresses))
        return Network(switches, tunnel_ports=ports)


def udp(family: EtherType, source: int, target: int, ports: tuple[int, int]) -> Packet:
    return build.udp(_macs(source, target), _addresses(family, source, target), ports)


def tcp(family: EtherType, source: int, target: int, ports: tuple[int, int], flags: int) -> Packet:
    return build.tcp(_macs(source, target), _addresses(family, source, target), ports, flags)


def echo(family: EtherType, source: int, target: int, reply: bool) -> Packet:
    macs, addresses = _macs(source, target), _addresses(family, source, target)
    if isinstance(addresses[0], IPv4Address):
        return build.icmp(macs, addresses, 0 if reply else 8)
    return build.icmpv6(macs, addresses, 129 if reply else 128)


def _macs(source: int, target: int) -> tuple[Mac, Mac]:
    return Mac(0x020000000000 | source), Mac(0x020000000000 | target)


def _addresses(
    family: EtherType, source: int, target: int
) -> tuple[IPv4Address, IPv4Address] | tuple[IPv6Address, IPv6Address]:
    if family is EtherType.IPV4:
        return IPv4Address(f"192.168.0.{source}"), IPv4Address(f"192.168.0.{target}")
    return IPv6Address(f"fd00::{source:x}"), IPv6Address(f"fd00::{target:x}")


PEER_AT, OLD, NEW = ("h3", PEER), ("h1", MOVED), ("h2", MOVED)


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> EtherType:
    found: EtherType = request.param
    return found


@pytest.fixture
def pushed(family: EtherType) -> Sites:
    """A client at h1 has opened a connection to its peer, which has answered; the client has moved to h2."""
    sites = Sites()
    sites.become("client", h1=ACTIVE)
    assert sites.reach(OLD, tcp(family, MOVED, PEER, (5000, 80), SYN)) == [PEER_AT]
    assert sites.reach(PEER_AT, tcp(family, PEER, MOVED, (80, 5000), SYN | ACK)) == [OLD]
    assert sites.reach(OLD, tcp(family, MOVED, PEER, (5000, 80), ACK)) == [PEER_AT]
    sites.become("client", "h1", h2=ACTIVE)
    return sites


def test_what_the_peer_pushes_reaches_a_port_that_has_been_silent_since(
    pushed: Sites, family: EtherType
) -> None:
    push = tcp(family, PEER, MOVED, (80, 5000), ACK)
    assert pushed.reach(PEER_AT, push) == [NEW]
    assert pushed.reach(PEER_AT, push) == [NEW]
    # and once the port has spoken, its own zone knows: nobody is asked
    assert pushed.reach(NEW, tcp(family, MOVED, PEER, (5000, 80), ACK)) == [PEER_AT]
    pushed.tracked["h1"].flush()
    assert pushed.reach(PEER_AT, push) == [NEW]


@pytest.mark.parametrize("flags", [SYN, ACK, SYN | ACK])
def test_what_belongs_to_no_connection_stays_out(pushed: Sites, family: EtherType, flags: int) -> None:
    assert pushed.reach(("h3", OTHER), tcp(family, OTHER, MOVED, (80, 5000), flags)) == []
    assert pushed.reach(PEER_AT, tcp(family, PEER, MOVED, (80, 5001), flags)) == []


def test_a_server_that_only_answers_speaks_on_after_its_move(family: EtherType) -> None:
    sites = Sites()
    sites.become("server", h1=ACTIVE)
    assert sites.reach(PEER_AT, udp(family, PEER, MOVED, (5000, 80))) == [OLD]
    assert sites.reach(OLD, udp(family, MOVED, PEER, (80, 5000))) == [PEER_AT]
    sites.become("server", "h1", h2=ACTIVE)
    assert sites.reach(NEW, udp(family, MOVED, PEER, (80, 5000))) == [PEER_AT]
    assert sites.reach(NEW, udp(family, MOVED, PEER, (80, 5001))) == []
    assert sites.reach(NEW, udp(family, MOVED, OTHER, (80, 5000))) == []


def test_an_echo_request_from_before_a_move_is_answered_after_it(family: EtherType) -> None:
    sites = Sites()
    sites.become("server", h1=ACTIVE)
    assert sites.reach(PEER_AT, echo(family, PEER, MOVED, reply=False)) == [OLD]
    sites.become("server", "h1", h2=ACTIVE)
    assert sites.reach(NEW, echo(family, MOVED, PEER, reply=True)) == [PEER_AT]
    assert sites.reach(NEW, echo(family, MOVED, OTHER, reply=True)) == []
    # and the other way round
    sites.become("client", h1=ACTIVE)
    assert sites.reach(OLD, echo(family, MOVED, PEER, reply=False)) == [PEER_AT]
    sites.become("client", "h1", h2=ACTIVE)
    assert sites.reach(PEER_AT, echo(family, PEER, MOVED, reply=True)) == [NEW]
    assert sites.reach(("h3", OTHER), echo(family, OTHER, MOVED, reply=True)) == []


def test_every_host_that_the_port_has_left_is_asked(pushed: Sites, family: EtherType) -> None:
    # given a connection that was silent while the port was at h2
    pushed.become("client", "h1", "h2", h3=ACTIVE)
    assert pushed.reach(PEER_AT, tcp(family, PEER, MOVED, (80, 5000), ACK)) == [("h3", MOVED)]


def test_a_port_that_has_come_back_finds_what_was_silent_since_before(family: EtherType) -> None:
    sites = Sites()
    sites.become("client", h1=ACTIVE)
    sites.reach(OLD, udp(family, MOVED, PEER, (5000, 80)))
    sites.reach(PEER_AT, udp(family, PEER, MOVED, (80, 5000)))
    # when it has been elsewhere and is back, in another zone
    sites.become("client", "h1", "h2", h1=ACTIVE, zone=99)
    assert sites.reach(PEER_AT, udp(family, PEER, MOVED, (80, 5000))) == [OLD]
    assert sites.reach(PEER_AT, udp(family, PEER, MOVED, (80, 5001))) == []
    assert all(there > here for here, there in sites.gotos()), "a switch refuses a way back"


def test_a_server_that_has_come_back_speaks_on(family: EtherType) -> None:
    sites = Sites()
    sites.become("server", h1=ACTIVE)
    sites.reach(PEER_AT, udp(family, PEER, MOVED, (5000, 80)))
    sites.reach(OLD, udp(family, MOVED, PEER, (80, 5000)))
    sites.become("server", "h1", "h2", h1=ACTIVE, zone=99)
    assert sites.reach(OLD, udp(family, MOVED, PEER, (80, 5000))) == [PEER_AT]
    assert sites.reach(OLD, udp(family, MOVED, PEER, (80, 5001))) == []


def test_a_port_that_has_started_elsewhere_asks_before_any_controller_knows(family: EtherType) -> None:
    sites = Sites()
    sites.become("client", h1=ACTIVE)
    sites.reach(OLD, udp(family, MOVED, PEER, (5000, 80)))
    sites.reach(PEER_AT, udp(family, PEER, MOVED, (80, 5000)))
    # when h3 has learned of the move, but the controller has not
    sites.become("client", h1=ACTIVE, h2=PREPARED)
    prepared = sites.network.switches["h2"]
    sites.become("client", "h1", h1=RELEASING, h2=ACTIVE)
    sites.network.switches["h2"] = prepared
    assert NEW in sites.reach(PEER_AT, udp(family, PEER, MOVED, (80, 5000)))


def test_a_host_where_the_port_is_not_gets_no_answer(pushed: Sites, family: EtherType) -> None:
    elsewhere = pushed.network.switches["h2"]
    pushed.become("client", "h1", h3=ACTIVE)
    pushed.network.switches["h2"] = elsewhere
    late = tcp(family, PEER, MOVED, (80, 5000), ACK).replace({Field.ETH_DST: LATE_FRAMES | MOVED})
    assert pushed.reach(PEER_AT, late) == []


@pytest.mark.parametrize("prefix", [ASKED, KNOWN])
@pytest.mark.parametrize("address", [Field.ETH_DST, Field.ETH_SRC])
def test_a_port_without_port_security_cannot_pass_for_a_host(
    pushed: Sites, family: EtherType, prefix: int, address: Field
) -> None:
    forged = udp(family, PEER, MOVED, (80, 5000)).replace({address: prefix | MOVED})
    assert pushed.reach(("h1", OPEN), forged) == []
