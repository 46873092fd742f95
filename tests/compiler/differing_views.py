"""Hosts that know different things: each is filled with what follows from its own view of the world."""

from tests.compiler.worlds import WorldBuilder

from overlace.compiler.compiler import Compiler
from overlace.compiler.pipeline import TUNNEL_OFPORT
from overlace.datapath.interpreter import Network, Switch, Tables, TunnelPort
from overlace.kit.addresses import IPAddress
from overlace.model.site import Host


def addresses(built: WorldBuilder, host: str) -> tuple[IPAddress, ...]:
    known = built.snapshot.get(Host, host)
    assert known is not None
    return tuple(endpoint.address for endpoint in known.endpoints)


def network(**views: WorldBuilder) -> Network:
    """Every host filled from its own view of the world."""
    switches = {}
    for host, view in views.items():
        compiler = Compiler()
        compiler.advance(view.world)
        plan = compiler.switch_plan(host).values()
        tables = Tables((f for part in plan for f in part.flows), (g for part in plan for g in part.groups))
        switches[host] = Switch(tables)
    ports = [TunnelPort(host, TUNNEL_OFPORT, addresses(view, host)) for host, view in views.items()]
    return Network(switches, tunnel_ports=ports)
