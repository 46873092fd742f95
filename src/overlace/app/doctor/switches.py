"""Switches: are they there, do they do what they are told, is anything kept from them?"""

from collections.abc import Iterator
from datetime import timedelta

from overlace.app.doctor.facts import Facts
from overlace.app.doctor.finding import Finding, error, note, warning
from overlace.model.site import Host
from overlace.southbound.status import Phase, SwitchStatus

STUCK = timedelta(hours=1)
"""A switch that is away this long keeps numbers from being used again."""
IN_THE_MAKING = "tunnel ports in the making"


def check_switches(facts: Facts) -> Iterator[Finding]:
    """Each switch by itself."""
    for name, status in facts.switches.items():
        host = facts.snapshot.get(Host, name)
        observed = facts.service.observe_only or (host is not None and host.observe_only)
        yield from _presence(facts, name, status, is_host=host is not None)
        yield from _hold(name, status, observed=observed)
        yield from _refusals(facts, name, status)
    yield from _quarantine(facts)


def _presence(facts: Facts, name: str, status: SwitchStatus, *, is_host: bool) -> Iterator[Finding]:
    connected = status.phase is not Phase.ABSENT
    if connected and (status.database or not is_host):
        return
    seen = facts.hosts.get(name)
    if name in facts.bridges and not facts.bridges[name].is_there:
        return  # told as such
    if connected or status.database:
        missing, port = ("OVSDB", 6640) if connected else ("OpenFlow", 6653)
        yield error(
            "switch_half_connected",
            name,
            f"{name} is connected, but not over {missing}",
            f"a firewall before the controller's port (TCP {port} by default), or {name} was not told to call it",
            f"let TCP port {port} through; run the script of `overlace join {name}` again",
        )
        return
    since = (
        f"since {seen.last_seen:%Y-%m-%d %H:%M:%S} UTC"
        if seen is not None
        else "since the controller started"
    )
    yield error(
        "switch_absent",
        name,
        f"{name} is not connected {since}",
        "the host is down, cannot reach the controller, is refused (see there), or has never joined",
        f"on {name}: ovs-vsctl get-manager, systemctl status openvswitch-switch; to join it: overlace join {name}",
    )


def _hold(name: str, status: SwitchStatus, *, observed: bool) -> Iterator[Finding]:
    if status.phase is Phase.PASSIVE:
        yield error(
            "switch_passive",
            name,
            f"another controller is master of {name}",
            "a second controller was started for the same hosts, or took them over later",
            "stop one of the two; or let one only look: overlace observe",
        )
    if observed:
        scope = f"overlace host observe {name} --off (or overlace observe --off)"
        yield note(
            "observed",
            name,
            f"nothing is written to {name}",
            "observe mode was asked for",
            f"when done: {scope}",
        )
    elif status.hold is not None:
        yield error(
            "switch_held",
            name,
            f"nothing is written to {name}: {status.hold}",
            "what the database says is not what the switch was last told, and nobody has said which is right",
            f"overlace diff {name}; then overlace adopt {name}, or overlace host allow-removal {name} for a removal",
        )


def _refusals(facts: Facts, name: str, status: SwitchStatus) -> Iterator[Finding]:
    for fragment, why in status.held_out.items():
        yield error(
            "rules_refused",
            name,
            f"{name} refuses the rules of {'/'.join(fragment)}: {why}",
            "the switch cannot do what the rules ask for (too old, or full), or they contradict others",
            f"update Open vSwitch of {name}; then overlace host resync {name}",
        )
    problem = status.tunnel_ports
    if problem is not None and not problem.startswith(IN_THE_MAKING):
        yield error(
            "tunnel_ports",
            name,
            f"{name} lacks tunnel ports: {problem}",
            "another bridge of the host has a port of that name, or its own tunnel with the same key and UDP port",
            f"on {name}: ovs-vsctl show; remove the other port, or give it another name",
        )
    fault = facts.faults.get(name)
    if fault and status.hold is None and not status.held_out and problem is None:
        yield error(
            "plan_refused",
            name,
            f"{name}: {fault}",
            "the switch refused a change",
            f"overlace host resync {name}",
        )


def _quarantine(facts: Facts) -> Iterator[Finding]:
    away = [
        name
        for name, status in facts.switches.items()
        if status.phase is Phase.ABSENT
        and ((seen := facts.hosts.get(name)) is None or facts.now - seen.last_seen > STUCK)
    ]
    if facts.resting and away:
        yield warning(
            "quarantine_stuck",
            ", ".join(away),
            f"{facts.resting} numbers and addresses that were given back cannot be used again",
            f"{', '.join(away)} may still act on them, and is away",
            "bring it back, or, if it is gone for good: overlace host remove NAME",
        )
