"""Given a healthy cloud, when this is wrong, then the doctor names it and its cure; and when it is mended, no more.

Real hosts, a real controller, real packets. What a laboratory cannot make is in tests/app/doctor.
"""

import resource
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.app.doctor_lab import Case, SickCloud, controller_pid, small_disk
from tools.cloud import BRIDGE, Cloud, until

from overlace.lab.description import decode_topology
from overlace.lab.lab import Lab

pytestmark = pytest.mark.lab

SITE = "{underlay: ipv4, sites: [{name: site-a, ipv4: 10.1.0.0/24, hosts: [h1, h2, h3]}]}"
SOON = 40.0
"""Seconds within which a fault is named and, when mended, forgotten; a turn of BFD and of probes is among them."""
UNKNOWN = "5d0b1b9e-0000-4000-8000-000000000001"
DATAPATH = "other-config:datapath-id"

SETTINGS = [
    Case(
        "fail_mode",
        ("h2", "learning switch", f"ovs-vsctl set-fail-mode {BRIDGE} secure"),
        lambda on: on.vsctl("h2", "del-fail-mode", BRIDGE),
        lambda on: on.vsctl("h2", "set-fail-mode", BRIDGE, "secure"),
    ),
    Case(
        "in_band",
        ("h2", "disable-in-band"),
        lambda on: on.vsctl("h2", "remove", "bridge", BRIDGE, "other_config", "disable-in-band"),
        lambda on: on.vsctl("h2", "set", "bridge", BRIDGE, "other_config:disable-in-band=true"),
    ),
    Case(
        "other_controller",
        ("h2", "tcp:127.0.0.1:6699", "del-controller"),
        lambda on: on.vsctl(
            "h2",
            "--id=@c",
            "create",
            "controller",
            'target="tcp:127.0.0.1:6699"',
            "--",
            "add",
            "bridge",
            BRIDGE,
            "controller",
            "@c",
        ),
        lambda on: on.vsctl(
            "h2",
            "remove",
            "bridge",
            BRIDGE,
            "controller",
            on.vsctl("h2", "--bare", "--columns=_uuid", "find", "controller", 'target="tcp:127.0.0.1:6699"'),
        ),
    ),
    Case(
        "restoring",
        ("h2", "flow-restore-wait"),
        lambda on: on.vsctl("h2", "set", "open_vswitch", ".", "other_config:flow-restore-wait=true"),
        lambda on: on.vsctl("h2", "remove", "open_vswitch", ".", "other_config", "flow-restore-wait"),
    ),
    Case(
        "switch_too_old",
        ("h2 has Open vSwitch 2.9.0", "2.17 or later"),
        lambda on: on.vsctl("h2", "set", "open_vswitch", ".", "ovs_version=2.9.0"),
        lambda on: on.vsctl("h2", "set", "open_vswitch", ".", "ovs_version=3.1.0"),
    ),
    Case(
        "datapath_conflict",
        ("h2 and h3", "00000000000000aa", "cloned"),
        lambda on: [
            on.vsctl(host, "set", "bridge", BRIDGE, f"{DATAPATH}=00000000000000aa") for host in ("h2", "h3")
        ],
        lambda on: [
            on.vsctl(host, "remove", "bridge", BRIDGE, "other_config", "datapath-id") for host in ("h2", "h3")
        ],
    ),
    Case(
        "interface_error",
        ("h2", "nothere", "ovs-vsctl del-port nothere"),
        lambda on: on.interface("h2", "nothere"),
        lambda on: on.vsctl("h2", "del-port", "nothere"),
    ),
    Case(
        "unknown_port",
        ("stranger0 of h2", UNKNOWN, f"overlace recover h2 {UNKNOWN}"),
        lambda on: on.interface("h2", "stranger0", UNKNOWN),
        lambda on: on.vsctl("h2", "del-port", "stranger0"),
    ),
    Case(
        "port_announced_twice",
        ("h1", "iface-id"),
        lambda on: on.interface("h1", "twice0", on.cloud.ports["red1"]["id"]),
        lambda on: on.vsctl("h1", "del-port", "twice0"),
    ),
    Case(
        "observed",
        ("h3", "overlace host observe h3 --off"),
        lambda on: on.observe("h3", True),
        lambda on: on.observe("h3", False),
    ),
]
DECLARATIONS = [
    Case(
        "no_endpoint",
        ("h9", "overlace host set h9 --endpoint"),
        lambda on: on.host("h9"),
        lambda on: on.without_host("h9"),
    ),
    Case(
        "switch_absent",
        ("h9 is not connected", "overlace join h9"),
        lambda on: on.host("h9", "10.1.0.99"),
        lambda on: on.without_host("h9"),
    ),
    Case(
        "endpoint_unusable",
        ("h9", "127.0.0.1"),
        lambda on: on.host("h9", "127.0.0.1"),
        lambda on: on.without_host("h9"),
    ),
    Case(
        "no_common_family",
        ("h9 IPv6 only", "--endpoint"),
        lambda on: on.host("h9", "fd01::9"),
        lambda on: on.without_host("h9"),
    ),
    Case(
        "subnet_overlaps_underlay",
        ("10.1.0.0/24 of network red", "h1", "another range"),
        lambda on: on.subnet("10.1.0.0/24"),
        lambda on: on.without_subnet(),
    ),
    Case(
        "network_too_wide",
        ("network red", "site-a", "--mtu"),
        lambda on: on.site_mtu(1400),
        lambda on: on.site_mtu(1600),
    ),
]
MACHINE = [
    Case(
        "file_limit",
        ("LimitNOFILE",),
        lambda on: on.files(300),
        lambda on: on.files(None),
    ),
    Case(
        "disk_full",
        ("MiB are left", "make room"),
        lambda on: on.fill(leave=20 << 20),
        lambda on: on.empty(),
    ),
    Case(
        "store_unwritable",
        ("No space left", "make room"),
        lambda on: on.fill(leave=0),
        lambda on: on.empty(),
    ),
    Case(
        "clock_back",
        ("2031-01-01", "chrony"),
        lambda on: on.last_change_at("2031-01-01T00:00:00+00:00"),
        lambda on: on.last_change_at(None),
    ),
    Case(
        "certificates_unreadable",
        ("damaged", "backup"),
        lambda on: on.damage_register(),
        lambda on: on.mend_register(),
    ),
    Case(
        "certificate_expired",
        ("host:h8", "overlace pki renew h8"),
        lambda on: on.certify("host:h8", timedelta(days=-9)),
        lambda on: on.certify("host:h8", lifetime=timedelta(days=300)),
    ),
    Case(
        "certificate_not_yet",
        ("host:h8", "clock"),
        lambda on: on.certify("host:h8", timedelta(days=9)),
        lambda on: on.certify("host:h8", lifetime=timedelta(days=300)),
    ),
    Case(
        "certificate_ending",
        ("host:h8", "overlace pki renew h8"),
        lambda on: on.certify("host:h8", timedelta(days=-340), timedelta(days=365)),
        lambda on: on.certify("host:h8", lifetime=timedelta(days=300)),
    ),
]
NAMES = [
    Case(
        "peer_wrong_name",
        ("claims to be h1", "host:h3", "copied"),
        lambda on: on.name("h3", "h1"),
        lambda on: on.name("h3", "h3"),
    ),
    Case(
        "host_unknown",
        ("'h99' is not known", "overlace host add h99"),
        lambda on: on.name("h3", "h99"),
        lambda on: on.name("h3", "h3"),
    ),
    Case(
        "switch_half_connected",
        ("h3 is connected, but not over OVSDB", "6640"),
        lambda on: on.name("h3", None),
        lambda on: on.name("h3", "h3"),
        also=("host_nameless", ("external_ids:overlace-host", "overlace join")),
    ),
]
UNDERLAY = [
    Case(
        "tunnel_blocked",
        ("no probe arrives", "UDP port 4789"),
        lambda on: on.firewall("h2", "udp,tp_dst=4789"),
        lambda on: on.no_firewall("h2"),
        probe=True,
        also=("not_heard", ("h1 does not hear h2", "UDP port 4789")),
    ),
    Case(
        "path_narrow",
        ("carries packets of 1500 bytes", "overlace site set"),
        lambda on: on.on("h2", "ip", "link", "set", "eth0", "mtu", "1496"),
        lambda on: on.on("h2", "ip", "link", "set", "eth0", "mtu", "1600"),
        probe=True,
    ),
    Case(
        "address_elsewhere",
        ("sends to h2 (10.1.0.77) comes out at h3", "overlace host set h2 --endpoint"),
        lambda on: [
            on.on("h3", "ip", "address", "add", "10.1.0.77/24", "dev", "br-phy"),
            on.endpoint("h2", "10.1.0.77"),
        ],
        lambda on: [
            on.endpoint("h2", str(on.lab.host("h2").endpoints[0])),
            on.on("h3", "ip", "address", "del", "10.1.0.77/24", "dev", "br-phy"),
        ],
        probe=True,
    ),
]
STRANGERS = [
    Case(
        "peer_wrong_authority", ("not this controller's",), lambda on: on.call_as_of_others(), lambda _: None
    ),
    Case(
        "peer_certificate_expired",
        ("has expired", "overlace pki renew"),
        lambda on: on.call_as_of("host:h8", timedelta(days=-9)),
        lambda on: on.certify("host:h8", lifetime=timedelta(days=300)),
    ),
    Case(
        "peer_certificate_not_yet",
        ("not valid yet", "clock"),
        lambda on: on.call_as_of("host:h8", timedelta(days=9)),
        lambda on: on.certify("host:h8", lifetime=timedelta(days=300)),
    ),
    Case(
        "peer_no_certificate",
        ("shows no certificate", "overlace join"),
        lambda on: on.call_as(None),
        lambda _: None,
    ),
    Case(
        "peer_plaintext",
        ("does not speak TLS", "--plaintext"),
        lambda on: on.call(6640, None),
        lambda _: None,
    ),
    Case("peer_revoked", ("was revoked", "overlace join"), lambda on: on.call_revoked(), lambda _: None),
    Case(
        "peer_distrusts",
        ("does not trust", "overlace join"),
        lambda on: on.call_distrusting(),
        lambda _: None,
    ),
    Case(
        "host_clock",
        ("is ahead", "set its clock"),
        lambda on: on.call_at(timedelta(days=20 * 365)),
        lambda _: None,
    ),
    Case(
        "host_clock",
        ("is behind", "set its clock"),
        lambda on: on.call_at(timedelta(days=-9)),
        lambda _: None,
    ),
    Case(
        "token_refused",
        ("the token is not known", "overlace join h3"),
        lambda on: on.call_with_token(),
        lambda _: None,
    ),
]


@pytest.fixture(scope="module")
def cloud() -> Iterator[SickCloud]:
    with tempfile.TemporaryDirectory(prefix="ovl-") as name:
        directory = Path(name)
        small_disk(directory)
        try:
            with Lab.up(decode_topology(SITE), "doctor") as lab:
                yield from _healthy(Cloud(lab, directory))
        finally:
            subprocess.run(["umount", "--lazy", directory], check=True, timeout=30)


def _healthy(cloud: Cloud) -> Iterator[SickCloud]:
    try:
        cloud.start()
        cloud.join_hosts()
        cloud.tenant("red")
        for octet, host in enumerate(("h1", "h2"), start=1):
            name = f"red{octet}"
            cloud.port(name, octet + 10)
            cloud.workload(name, host, octet + 10, cloud.ports[name]["id"])
        sick = SickCloud(cloud)
        sick.kept["pid"] = controller_pid(cloud)
        sick.kept["files"] = resource.prlimit(sick.kept["pid"], resource.RLIMIT_NOFILE)
        until(lambda: _notes_only(sick), "the cloud does not become healthy", 60)
        yield sick
    finally:
        cloud.kill()


def _notes_only(cloud: SickCloud) -> bool:
    return all(each["severity"] == "note" for each in cloud.findings(probe=True))


def test_given_strangers_when_they_call_then_each_is_named(cloud: SickCloud) -> None:
    # that they are forgotten shows at the end, when nothing is found any more
    missed = []
    for case in STRANGERS:
        case.seed(cloud)
        if not cloud.says(case):
            missed.append(str(case))
        case.mend(cloud)
    assert missed == []


@pytest.mark.parametrize("case", [*SETTINGS, *DECLARATIONS, *MACHINE, *NAMES, *UNDERLAY], ids=str)
def test_given_a_healthy_cloud_when_this_is_wrong_then_it_is_named_until_it_is_mended(
    cloud: SickCloud, case: Case
) -> None:
    until(lambda: cloud.is_silent(case, probe=False), f"{case} is found before it is so", SOON)
    try:
        case.seed(cloud)
        until(lambda: cloud.says(case), f"{case} is not found", SOON)
    finally:
        case.mend(cloud)
    until(lambda: cloud.is_silent(case), f"{case} is found though it is mended", SOON)


def test_given_everything_mended_when_asked_then_nothing_is_wrong(cloud: SickCloud) -> None:
    until(lambda: _notes_only(cloud), f"something is left: {cloud.findings()}", SOON)
