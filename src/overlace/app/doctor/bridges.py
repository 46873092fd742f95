"""Open vSwitch on the hosts: old, set up otherwise than joining does, or with interfaces that do not work."""

import re
from collections.abc import Iterator

from overlace.app.doctor.facts import Facts
from overlace.app.doctor.finding import Finding, error, warning
from overlace.engine.reason import Ground
from overlace.model.port import Port
from overlace.model.site import Host
from overlace.southbound.database_view import BridgeSeen

OLDEST = (2, 17)
"""The oldest Open vSwitch that does all that rules ask for."""
_PORT_CAUSES = {
    Ground.ANNOUNCED_TWICE: "two interfaces were given one iface-id, for example by a script that ran twice",
    Ground.DUPLICATE: "a copy of a workload was started, or the old one was not stopped",
    Ground.HOST_NOT_ALLOWED: "the host is reserved for other projects",
}


def check_bridges(facts: Facts) -> Iterator[Finding]:
    """Those of hosts whose database is connected."""
    for name, seen in facts.bridges.items():
        host = facts.snapshot.get(Host, name)
        if host is not None:
            yield from _version(name, seen)
            yield from (
                _set_up(name, host.bridge, seen) if seen.is_there else _missing(name, host.bridge, seen)
            )
    yield from _same_datapath_ids(facts)
    yield from _interfaces(facts)
    for reason in facts.port_reasons:
        yield warning(
            f"port_{reason.ground.value}",
            reason.host,
            reason.text,
            _PORT_CAUSES.get(reason.ground, ""),
            reason.cure,
        )


def _version(name: str, seen: BridgeSeen) -> Iterator[Finding]:
    found = re.match(r"(\d+)\.(\d+)", seen.ovs_version or "")
    if found is not None and (int(found[1]), int(found[2])) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        yield error(
            "switch_too_old",
            name,
            f"{name} has Open vSwitch {seen.ovs_version}",
            f"it is older than {oldest}, and may refuse rules, or take them and do something else",
            f"update Open vSwitch of {name} to {oldest} or later",
        )


def _missing(name: str, bridge: str, seen: BridgeSeen) -> Iterator[Finding]:
    if not seen.others:
        cause = "somebody removed it, or the host's database is older than its joining"
        cure = f"run the script of `overlace join {name} --bridge {bridge}` again"
        yield error("bridge_missing", name, f"{name} has no bridge {bridge}", cause, cure)
        return
    other = seen.others[0]
    yield error(
        "bridge_missing",
        name,
        f"{name} has no bridge {bridge}, but {', '.join(seen.others)} of Overlace's",
        "it joined with another --bridge than it was added with",
        f"overlace leave {name}, then overlace join {name} --bridge {bridge}; or overlace host remove {name}, then "
        f"overlace host add {name} --bridge {other}",
    )


def _set_up(name: str, bridge: str, seen: BridgeSeen) -> Iterator[Finding]:
    again = f"run the script of `overlace join {name}` again"
    if seen.fail_mode != "secure":
        yield error(
            "fail_mode",
            name,
            f"bridge {bridge} of {name} has fail-mode {seen.fail_mode or 'unset'}",
            "somebody changed it: without a controller it becomes a learning switch, and tenants hear each other",
            f"on {name}: ovs-vsctl set-fail-mode {bridge} secure",
        )
    if seen.in_band:
        yield error(
            "in_band",
            name,
            f"bridge {bridge} of {name} lacks other-config:disable-in-band=true",
            "somebody removed it: hidden rules of in-band control bypass every rule of a tenant",
            f"on {name}: ovs-vsctl set bridge {bridge} other-config:disable-in-band=true",
        )
    if len(seen.controllers) > 1:
        yield error(
            "other_controller",
            name,
            f"bridge {bridge} of {name} has {len(seen.controllers)} controllers: {', '.join(seen.controllers)}",
            "somebody added one: two that write to one bridge undo each other's rules",
            f"on {name}: ovs-vsctl del-controller {bridge}; then {again}",
        )
    if seen.restoring:
        yield error(
            "restoring",
            name,
            f"Open vSwitch of {name} has other_config:flow-restore-wait=true",
            "an upgrade script of Open vSwitch was interrupted: rules are taken in and packets are not forwarded",
            f"on {name}: ovs-vsctl remove open_vswitch . other_config flow-restore-wait",
        )


def _same_datapath_ids(facts: Facts) -> Iterator[Finding]:
    having: dict[int, list[str]] = {}
    for name, seen in facts.bridges.items():
        if seen.datapath_id is not None:
            having.setdefault(seen.datapath_id, []).append(name)
    for datapath_id, names in having.items():
        if len(names) > 1:
            yield error(
                "datapath_conflict",
                ", ".join(names),
                f"{' and '.join(names)} have one datapath id, {datapath_id:016x}",
                "a machine was cloned with its Open vSwitch database, or other-config:datapath-id was copied",
                f"on {names[-1]}: ovs-vsctl remove bridge BRIDGE other-config datapath-id, or give it another one",
            )


def _interfaces(facts: Facts) -> Iterator[Finding]:
    for each in facts.interfaces:
        if each.error:
            yield warning(
                "interface_error",
                each.host,
                f"{each.host} cannot use interface {each.name}: {each.error}",
                "the device is not there, is in another bridge, or is in use",
                f"on {each.host}: make the device, or ovs-vsctl del-port {each.name}",
            )
        if each.iface_id and facts.snapshot.get(Port, each.iface_id) is None:
            yield warning(
                "unknown_port",
                each.host,
                f"interface {each.name} of {each.host} announces {each.iface_id}, which is no port",
                "the port was deleted while its workload runs, is newer than a restored database, or is misspelt",
                f"stop the workload; or, after a restore: overlace recover {each.host} {each.iface_id}",
            )
