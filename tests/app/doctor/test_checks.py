"""Given facts of a healthy cloud, when one of them is wrong, then it is named with its cure; else nothing is.

What can be made in a laboratory is tried there too (tests/app/test_doctor_in_lab.py); here is what cannot.
"""

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from tests.app.switch_sample import IN_SYNC

from overlace.app.doctor.examination import examine
from overlace.app.doctor.facts import Facts, MachineFacts, ServiceFacts
from overlace.app.doctor.finding import Finding, Severity
from overlace.app.trust import HostClock
from overlace.engine.reason import Ground, Reason
from overlace.kit.revision import Revision
from overlace.model.replica import Replica, ReplicaState
from overlace.model.site import Host, Site, TunnelEndpoint
from overlace.model.snapshot import Snapshot
from overlace.northbound.views import Alarm
from overlace.southbound.database_view import BridgeSeen
from overlace.southbound.observations import HostSeen
from overlace.southbound.status import Phase, SwitchStatus

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
MACHINE = MachineFacts("/var/lib/overlace/db", 50 << 30, 100 << 30, None, None, NOW, True, 65536)
SERVICE = ServiceFacts("192.0.2.100", False, "", False, ("192.0.2.100",), None, ())
GOOD_BRIDGE = BridgeSeen("3.1.0", "secure", False, ("ssl:192.0.2.100:6653",), False, None)


def status(name: str, **more: Any) -> SwitchStatus:
    return replace(IN_SYNC, name=name, **more)


def healthy() -> Facts:
    """Two hosts, connected, in sync."""
    snapshot = Snapshot.empty(Revision("site", 1, 1)).put(Site(id="a", mtu=1600))
    for number, name in enumerate(("h1", "h2"), start=1):
        endpoint = TunnelEndpoint(ip_address(f"192.0.2.{number}"))
        snapshot = snapshot.put(Host(id=name, site_id="a", endpoints=(endpoint,), key=number))
    return Facts(
        now=NOW,
        snapshot=snapshot,
        machine=MACHINE,
        service=SERVICE,
        switches={name: status(name) for name in ("h1", "h2")},
        hosts={name: HostSeen(name, 1, "3.1.0", True, True, NOW) for name in ("h1", "h2")},
        bridges={name: replace(GOOD_BRIDGE, datapath_id=number) for number, name in enumerate(("h1", "h2"))},
    )


def switched(**more: Any) -> Callable[[Facts], Facts]:
    """h1 is otherwise."""
    return lambda facts: replace(facts, switches={**facts.switches, "h1": status("h1", **more)})


def machine(**more: Any) -> Callable[[Facts], Facts]:
    return lambda facts: replace(facts, machine=replace(facts.machine, **more))


def serving(**more: Any) -> Callable[[Facts], Facts]:
    return lambda facts: replace(facts, service=replace(facts.service, **more))


def nobody_there(**more: Any) -> Callable[[Facts], Facts]:
    away = {name: status(name, phase=Phase.ABSENT, database=False) for name in ("h1", "h2")}
    return lambda facts: replace(serving(**more)(facts), switches=away)


def twin(facts: Facts) -> Facts:
    other = facts.snapshot.get(Host, "h1")
    assert other is not None
    return replace(facts, snapshot=facts.snapshot.put(replace(other, id="h2", key=2)))


def away_since(long: timedelta) -> Callable[[Facts], Facts]:
    def change(facts: Facts) -> Facts:
        seen = replace(
            facts.hosts["h1"], connected_ovsdb=False, connected_openflow=False, last_seen=NOW - long
        )
        absent = switched(phase=Phase.ABSENT, database=False)(facts)
        return replace(absent, hosts={**facts.hosts, "h1": seen}, resting=7)

    return change


def reason(ground: Ground) -> Callable[[Facts], Facts]:
    told = Reason(ground, "h2 announces port web, too", "stop it on h2", "h2", blocking=False)
    return lambda facts: replace(facts, port_reasons=[told])


def no_bridge(*others: str) -> Callable[[Facts], Facts]:
    """h1's database is connected, and does not have the bridge."""
    seen = BridgeSeen("3.1.0", None, False, (), False, None, is_there=False, others=others)
    return lambda facts: replace(switched(phase=Phase.ABSENT)(facts), bridges={**facts.bridges, "h1": seen})


def kept(seconds: int | None, problem: str = "", **more: Any) -> Callable[[Facts], Facts]:
    """web has a replica at h2 that may be a minute old and is so old, None: that is not there yet."""
    moment = None if seconds is None else NOW - timedelta(seconds=seconds)
    terms: dict[str, Any] = {"id": "web", "project_id": "red", "host_id": "h2", "every": 60} | more
    replica = Replica(**terms, as_of=moment, round_ms=40_000)

    def change(facts: Facts) -> Facts:
        return replace(facts, snapshot=facts.snapshot.put(replica), replica_problems={"web": problem})

    return change


@dataclass(frozen=True)
class Case:
    """What is wrong, what it is called, how bad it is, and words of what is said."""

    wrong: Callable[[Facts], Facts]
    kind: str
    severity: Severity
    words: tuple[str, ...]

    def __str__(self) -> str:
        return self.kind


ERROR, WARNING, NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE
CASES = [
    Case(switched(phase=Phase.PASSIVE), "switch_passive", ERROR, ("master of h1", "overlace observe")),
    Case(
        switched(phase=Phase.HELD, hold="it was written by another database"),
        "switch_held",
        ERROR,
        ("another database", "overlace adopt h1", "allow-removal"),
    ),
    Case(
        switched(held_out={("network", "red"): "bad action"}),
        "rules_refused",
        ERROR,
        ("network/red", "bad action"),
    ),
    Case(
        switched(tunnel_ports="name ovl-bfd-1 is taken"),
        "tunnel_ports",
        ERROR,
        ("ovl-bfd-1", "ovs-vsctl show"),
    ),
    Case(
        lambda facts: replace(facts, faults={"h1": "table full"}),
        "plan_refused",
        ERROR,
        ("table full", "resync h1"),
    ),
    Case(
        away_since(timedelta(hours=2)),
        "quarantine_stuck",
        WARNING,
        ("7 numbers", "h1", "overlace host remove"),
    ),
    Case(
        serving(clocks=(HostClock("h1", -1800.0, NOW), HostClock("h2", 59.0, NOW))),
        "host_clock_apart",
        WARNING,
        ("h1", "1800 s behind", "overlace pki renew h1"),
    ),
    Case(twin, "duplicate_endpoint", ERROR, ("h1 and h2", "192.0.2.1", "overlace host set h2 --endpoint")),
    Case(
        lambda facts: replace(facts, strangers=[("192.0.2.9", 0xAB)]),
        "switch_unknown",
        WARNING,
        ("192.0.2.9", "00000000000000ab", "overlace switch add"),
    ),
    Case(
        serving(switch_address="", is_plaintext=True),
        "plaintext",
        WARNING,
        ("every address", "without --plaintext"),
    ),
    Case(
        serving(api_in_the_clear="behind a proxy"),
        "api_in_the_clear",
        NOTE,
        ("behind a proxy", "--api-certificate"),
    ),
    Case(
        nobody_there(switch_address="127.0.0.1"),
        "switch_address_loopback",
        ERROR,
        ("127.0.0.1", "--switch-address"),
    ),
    Case(
        nobody_there(switch_address="::", certificate_addresses=()),
        "certificate_without_address",
        WARNING,
        ("overlace pki renew controller --address",),
    ),
    Case(machine(free=800 << 20), "disk_low", WARNING, ("800 MiB", "make room")),
    Case(machine(store_failure="disk I/O error"), "store_unwritable", ERROR, ("disk I/O error", "remount")),
    Case(machine(clock_synchronised=False), "clock_unsynchronised", NOTE, ("chrony",)),
    Case(
        no_bridge(),
        "bridge_missing",
        ERROR,
        ("h1 has no bridge br-overlace", "somebody removed it", "overlace join h1"),
    ),
    Case(
        no_bridge("br-cloud"),
        "bridge_missing",
        ERROR,
        ("but br-cloud", "--bridge br-overlace", "overlace host add h1 --bridge br-cloud"),
    ),
    Case(reason(Ground.DUPLICATE), "port_duplicate", WARNING, ("h2 announces", "a copy of a workload")),
    Case(reason(Ground.HOST_NOT_ALLOWED), "port_host_not_allowed", WARNING, ("reserved for other projects",)),
    Case(
        lambda facts: replace(facts, alarms=[Alarm("not heard", ("h1", "h2"), "h1 does not hear h2")]),
        "not_heard",
        ERROR,
        ("h1 does not hear h2", "4789"),
    ),
    Case(
        kept(130),
        "replica_old",
        ERROR,
        ("web at h2 is 130 s old, and may be 60 s", "took 40 s", "overlace machine show web"),
    ),
    Case(kept(61, "h2 cannot be written to now"), "replica_old", ERROR, ("h2 cannot be written to now",)),
    Case(kept(None, state=ReplicaState.SEEDING), "replica_missing", WARNING, ("is being copied",)),
    Case(kept(None, "h1 does not answer"), "replica_missing", WARNING, ("h1 does not answer",)),
    Case(kept(5, taken=True), "replica_missing", WARNING, ("a move there uses it up",)),
]


def texts(found: list[Finding]) -> str:
    return " ".join(f"{each.seen} {each.cause} {each.cure}" for each in found)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_given_a_healthy_cloud_when_one_fact_is_wrong_then_it_is_named_with_its_cure(case: Case) -> None:
    assert examine(healthy()) == []
    found = [each for each in examine(case.wrong(healthy())) if each.kind == case.kind]
    assert [each.severity for each in found] == [case.severity]
    assert [word for word in case.words if word not in texts(found)] == []


@pytest.mark.parametrize(
    "right",
    [
        switched(tunnel_ports="tunnel ports in the making: ovl-bfd-1"),
        machine(free=2 << 30),
        machine(newest_change=NOW + timedelta(seconds=3)),
        serving(switch_address="127.0.0.1", is_plaintext=True),
        serving(certificate_addresses=()),
        lambda facts: replace(facts, resting=7),
        kept(60),
        kept(600, ending=True),
    ],
)
def test_given_what_is_as_it_should_be_when_looked_at_then_nothing_is_found(
    right: Callable[[Facts], Facts],
) -> None:
    assert examine(right(healthy())) == []


def test_given_a_host_that_is_observed_when_it_is_held_then_that_is_a_note() -> None:
    facts = switched(phase=Phase.HELD, hold="observe mode")(healthy())
    host = facts.snapshot.get(Host, "h1")
    assert host is not None
    facts = replace(facts, snapshot=facts.snapshot.put(replace(host, observe_only=True)))
    assert [(each.kind, each.severity) for each in examine(facts)] == [("observed", NOTE)]


def test_given_a_host_that_is_away_for_a_moment_when_numbers_rest_then_only_its_absence_is_told() -> None:
    assert [each.kind for each in examine(away_since(timedelta(minutes=1))(healthy()))] == ["switch_absent"]


def test_given_several_faults_when_told_then_the_worst_come_first() -> None:
    facts = machine(free=800 << 20, clock_synchronised=False)(switched(phase=Phase.PASSIVE)(healthy()))
    assert [each.severity for each in examine(facts)] == [ERROR, WARNING, NOTE]


def test_given_the_page_when_a_kind_is_found_then_the_page_has_it() -> None:
    root = Path(__file__).parents[3]
    page = (root / "docs" / "doctor.md").read_text()
    sources = root / "src" / "overlace" / "app" / "doctor"
    words = {word for file in sources.glob("*.py") for word in kinds_in(file.read_text())}
    assert len(words) > 50
    assert sorted(word for word in words if f"`{word}`" not in page) == []


def kinds_in(source: str) -> set[str]:
    """Its words with underscores: kinds, since nothing else is written so there."""
    nodes = ast.walk(ast.parse(source))
    strings = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {each for each in strings if "_" in each.strip("_") and re.fullmatch("[a-z_]+", each)}
