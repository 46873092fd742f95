"""The flows that are there for one object, as they are installed on every switch that should have some."""

from collections.abc import Iterable

from overlace.app.traced_network import Switches
from overlace.compiler.cause import Causes, cookies_of
from overlace.compiler.cause_text import name_of
from overlace.compiler.pipeline import Table
from overlace.compiler.plan import Audience, SwitchName
from overlace.compiler.tracing.report import Json
from overlace.compiler.tracing.scope import Named
from overlace.compiler.unit import ALL_HOSTS, group_audience, member_audience, network_audience
from overlace.datapath.text import describe_flow
from overlace.engine.engine import Engine
from overlace.model.network import Network
from overlace.model.policy import SecurityGroup
from overlace.model.port import Port
from overlace.model.site import Host, TransitSwitch
from overlace.southbound.failures import SouthboundError
from overlace.wire.openflow.messages import FlowEntry


async def flows_of(owner: Named, engine: Engine, switches: Switches) -> Json:
    """By switch: the flows with table, cause and counters. A switch that cannot be read says why instead."""
    causes = Causes(engine.world.snapshot)
    cookies = cookies_of(owner)
    places = {name for each in _audiences(owner) for name in engine.compiler.members(each)}
    if isinstance(owner, Host):
        places |= {each.id for each in engine.world.snapshot.all(TransitSwitch)}
    shown: list[Json] = []
    for name in sorted(places):
        try:
            entries = await switches.installed_with(name, cookies)
        except SouthboundError as error:
            shown.append(
                {"switch": name, "error": str(error), "flows": [], "wanted": _wanted(engine, name, cookies)}
            )
            continue
        ordered = sorted(entries, key=lambda each: (each.flow.table, -each.flow.priority))
        flows = [_flow(causes, entry) for entry in ordered]
        shown.append({"switch": name, "flows": flows, "wanted": _wanted(engine, name, cookies)})
    kind = type(owner).__name__
    return {"object": {"kind": kind, "id": owner.id, "name": name_of(owner)}, "switches": shown}


def _audiences(owner: Named) -> tuple[Audience, ...]:
    match owner:
        case Port():
            return (network_audience(owner.network_id),)
        case Network():
            return (network_audience(owner.id),)
        case SecurityGroup():
            return group_audience(owner.id), member_audience(owner.id)
    return (ALL_HOSTS,)


def _wanted(engine: Engine, name: SwitchName, cookies: Iterable[int]) -> int:
    """How many flows the plan wants there."""
    asked = set(cookies)
    plan = engine.compiler.switch_plan(name).values()
    return len({flow.key for fragment in plan for flow in fragment.flows if flow.cookie in asked})


def _flow(causes: Causes, entry: FlowEntry) -> Json:
    flow = entry.flow
    known = flow.table in set(Table)
    return {
        "table": Table(flow.table).name if known else str(flow.table),
        "number": flow.table,
        "text": causes.of(flow).text,
        "flow": describe_flow(flow),
        "packets": entry.packets,
        "bytes": entry.bytes,
    }
