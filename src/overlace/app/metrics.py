"""Prometheus metrics: what the parts count anyway, read when somebody asks. docs/operations.md lists them."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from overlace.app.counts import PacketCounts
from overlace.compiler.compiler import WorkCounters
from overlace.model.declaration import RESOURCES
from overlace.pki.expiry import Expiry
from overlace.southbound.status import Phase, SouthboundStatus, SwitchStatus
from overlace.store.store import Store

OBSERVED = "observed"


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the numbers are."""

    store: Store
    southbound: Callable[[], SouthboundStatus]
    compiler: WorkCounters
    packets: PacketCounts
    expiries: Callable[[], Iterable[Expiry]]


_ASKED = {
    "dhcp": "DHCPv4 requests",
    "dhcpv6": "DHCPv6 messages",
    "router_solicitation": "Router solicitations",
}


class ControllerCollector(Collector):
    """Everything but timings."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand: names and labels depend on what there is."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """All metrics as they are now."""
        sources = self._sources
        status = sources.southbound()
        yield from _store(sources.store)
        yield from _work(sources.compiler, status)
        yield _switch_phases(status)
        yield from _each_switch(status)
        yield _labelled("packet_ins", "Packets from switches by kind", "kind", sources.packets.packets)
        for kind, text in _ASKED.items():
            yield _labelled(kind, f"{text} by outcome", "outcome", sources.packets.answers[kind])
        yield _certificates(sources.expiries())


def _store(store: Store) -> Iterator[Metric]:
    counters, revision = store.counters, store.snapshot.revision
    yield GaugeMetricFamily("overlace_revision", "The store's revision in its epoch", revision.number)
    objects = GaugeMetricFamily("overlace_objects", "Stored objects by kind", labels=("kind",))
    for cls, declared in RESOURCES.items():
        objects.add_metric((declared.kind,), store.snapshot.count(cls))
    yield objects
    yield _counter("store_commits", "Commits that were made durable", counters.commits)
    yield _counter(
        "store_syncs", "Syncs of the database's log; one is for all commits that wait", counters.syncs
    )
    yield _counter("store_rows", "Rows written, replaced or deleted", counters.rows)
    yield _counter("store_sync_seconds", "Seconds spent waiting for the disk", counters.sync_seconds)


def _work(compiler: WorkCounters, status: SouthboundStatus) -> Iterator[Metric]:
    yield _counter("compile_units_projected", "Compiler units looked at", compiler.units_projected)
    yield _counter("compile_units_built", "Compiler units whose result was made anew", compiler.units_built)
    yield _counter(
        "plan_fragments_changed", "Fragments that came, went or were made anew", compiler.fragments_changed
    )
    yield _counter(
        "plan_switches_changed", "Switches that a plan changed, over all plans", compiler.switches_changed
    )
    yield _counter("encoded_flows", "Flows encoded for the wire", status.encoded_flows)
    yield _counter("encoded_bytes", "Bytes encoded for the wire", status.encoded_bytes)
    yield _counter("bundled_flows", "Flows bundled, once for all that share a change", status.bundled_flows)
    yield _counter("bundled_bytes", "Bytes bundled, once for all that share a change", status.bundled_bytes)
    yield _counter("encoder_cache_hits", "Flows whose bytes were there already", status.cache_hits)


def _switch_phases(status: SouthboundStatus) -> Metric:
    family = GaugeMetricFamily("overlace_switches", "Switches by phase", labels=("phase",))
    words = Counter(_phase_word(each) for each in status.switches.values())
    for word in (*(phase.name.lower() for phase in Phase), OBSERVED):
        family.add_metric((word,), words[word])
    return family


def _phase_word(status: SwitchStatus) -> str:
    """A switch that somebody wants to be left alone is not one that waits for somebody."""
    return OBSERVED if status.phase is Phase.HELD and status.observed_only else status.phase.name.lower()


_OF_A_SWITCH: Mapping[str, tuple[str, Callable[[SwitchStatus], float]]] = {
    "flows_sent": ("Flows sent", lambda switch: switch.flows_sent),
    "bytes_sent": ("Bytes of flow and group changes sent", lambda switch: switch.bytes_sent),
    "batches": ("Bundles sent", lambda switch: switch.batches),
    "resyncs": ("Comparisons with the plan from the beginning", lambda switch: switch.resyncs),
    "resync_changes": ("Differences that comparisons found", lambda switch: switch.resync_changes),
    "audit_repairs": ("Differences that audits put right", lambda switch: switch.audit_repairs),
}


def _each_switch(status: SouthboundStatus) -> Iterator[Metric]:
    flows = GaugeMetricFamily("overlace_switch_flows", "Flows in the plan of a switch", labels=("switch",))
    for name, switch in status.switches.items():
        if switch.wanted_flows is not None:
            flows.add_metric((name,), switch.wanted_flows)
    yield flows
    for word, (text, value) in _OF_A_SWITCH.items():
        family = CounterMetricFamily(f"overlace_switch_{word}", text, labels=("switch",))
        for name, switch in status.switches.items():
            family.add_metric((name,), value(switch))
        yield family


def _certificates(expiries: Iterable[Expiry]) -> Metric:
    text = "When the newest certificate of a subject ends, in seconds since 1970"
    family = GaugeMetricFamily("overlace_certificate_not_after_seconds", text, labels=("subject",))
    for each in expiries:
        family.add_metric((each.subject,), each.not_after.timestamp())
    return family


def _counter(word: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(f"overlace_{word}", text, value)


def _labelled(word: str, text: str, label: str, counts: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(f"overlace_{word}", text, labels=(label,))
    for each, count in sorted(counts.items()):
        family.add_metric((each,), count)
    return family
