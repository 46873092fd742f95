"""What stands between a switch and its plan, by the objects that the flows are there for; and what only it knows."""

from collections import Counter
from collections.abc import Iterable

from overlace.compiler.cause import Causes
from overlace.compiler.found import FoundPort, found_ports
from overlace.compiler.pipeline import PIPELINE_VERSION, Cookie
from overlace.datapath.flow import Flow
from overlace.datapath.text import describe_flow
from overlace.engine.interfaces import PluggedInterface
from overlace.kit.addresses import format_mac
from overlace.model.network import Network
from overlace.model.port import Port
from overlace.model.snapshot import Snapshot
from overlace.southbound.difference import Difference
from overlace.southbound.marker import Verdict
from overlace.southbound.operations import Changes

Json = dict[str, object]


def difference_view(found: Difference, snapshot: Snapshot, interfaces: Iterable[PluggedInterface]) -> Json:
    """JSON values. `interfaces` are those of the host."""
    flows = found.flows
    groups = set(flows.groups) ^ set(flows.wanted_groups)
    causes = Causes(snapshot)
    kinds = (("missing", flows.missing), ("changed", flows.changed), ("foreign", flows.foreign))
    strange = found.verdict in (Verdict.NEWER, Verdict.FOREIGN)
    told = [
        {
            "what": what,
            "object": _cause(causes, flow, strange=strange and what == "foreign"),
            "flow": describe_flow(flow),
        }
        for what, some in kinds
        for flow in sorted(some, key=lambda each: (each.table, -each.priority, describe_flow(each)))
    ]
    by_object = Counter((str(each["what"]), str(each["object"])) for each in told)
    return {
        "at": found.at.isoformat(timespec="seconds"),
        "settled": flows.settled,
        "written_by": found.verdict.value,
        "stamps": [
            {"cluster": each.cluster, "epoch": each.epoch, "revision": each.revision} for each in found.stamps
        ],
        "pipeline_version": found.version,
        "wanted_pipeline_version": PIPELINE_VERSION,
        "observed": len(flows.flows),
        "wanted": len(flows.wanted_flows),
        **{what: len(some) for what, some in kinds},
        "groups": len({each.group_id for each in groups}),
        "meters": len(found.meters),
        "tunnel_ports": _changes(found.tunnel_ports),
        "objects": [
            {"what": what, "object": name, "flows": count} for (what, name), count in by_object.items()
        ],
        "flows": told,
        "unknown_ports": unknown_ports(found, snapshot, interfaces),
    }


def unknown_ports(
    found: Difference, snapshot: Snapshot, interfaces: Iterable[PluggedInterface]
) -> list[Json]:
    """The ports that the host serves and this store does not know: what is lost when the host is adopted."""
    by_ofport = {each.ofport: each for each in found_ports(found.flows.flows)}
    unknown = [each for each in interfaces if each.iface_id and snapshot.get(Port, each.iface_id) is None]
    return [
        _unknown(
            each, by_ofport.get(each.ofport or 0), _network(found, snapshot, by_ofport.get(each.ofport or 0))
        )
        for each in sorted(unknown, key=lambda each: each.name)
    ]


def _unknown(interface: PluggedInterface, port: FoundPort | None, network: Network | None) -> Json:
    shown: Json = {"id": interface.iface_id, "interface": interface.name, "served": port is not None}
    if port is None:
        return shown
    return shown | {
        "key": port.port_key,
        "mac_address": format_mac(port.mac) if port.mac else None,
        "fixed_ips": [str(each) for each in port.addresses],
        "segmentation_id": port.segmentation_id or None,
        "network_id": None if network is None else network.id,
        "network": None if network is None else network.name or network.id,
    }


def _network(found: Difference, snapshot: Snapshot, port: FoundPort | None) -> Network | None:
    """The port's network, if this store had it when the host was written: keys of another store say nothing."""
    if port is None or found.verdict is Verdict.FOREIGN:
        return None
    return next((each for each in snapshot.all(Network) if each.key == port.network_key), None)


def _cause(causes: Causes, flow: Flow, *, strange: bool) -> str:
    """What a flow is there for. In a flow that a store unknown to us wrote, keys may be those of other objects."""
    parsed = Cookie.parse(flow.cookie)
    if strange and parsed is not None and parsed.key:
        return f"{parsed.cookie_class.name.lower().replace('_', ' ')} {parsed.key} of the store that wrote it"
    return causes.of(flow).text


def _changes(changes: Changes[str]) -> Json:
    return {"missing": changes.added, "changed": changes.changed, "foreign": changes.removed}
