"""The ways between hosts, and what was declared about them."""

from collections import defaultdict
from collections.abc import Iterator

from overlace.app.doctor.facts import Facts
from overlace.app.doctor.finding import Finding, error, warning
from overlace.kit.addresses import IPAddress
from overlace.model.network import Network, Subnet
from overlace.model.site import Host
from overlace.northbound.views import Alarm
from overlace.protocols.path_mtu import Verdict

_SILENT = (
    "tunnel_blocked",
    "packets to the tunnel port do not arrive: a firewall, no route, or an address that is not the host's",
    "let UDP port 4789 through between the hosts in both directions; compare `ip address` with `overlace host list`",
)
_ALARMS = {
    "not heard": (
        "not_heard",
        "the link or the host's interface is down, or UDP port 4789 is filtered",
        "ping the address from the other host; let UDP port 4789 through",
    ),
    Verdict.SILENT.value: _SILENT,
    Verdict.NARROW.value: (
        "path_narrow",
        "a link on the way has a smaller MTU than its site was declared with",
        "raise the MTU of the interfaces on the way, or say what is so: overlace site set SITE --mtu BYTES, and "
        "openstack network set --mtu",
    ),
    "network too wide": (
        "network_too_wide",
        "a site's MTU was lowered, or a host got an IPv6 endpoint, after the network was made",
        "openstack network set --mtu, and restart its guests; or raise the underlay's MTU and overlace site set --mtu",
    ),
}


def check_underlay(facts: Facts) -> Iterator[Finding]:
    """What probes and liveness have found, and what cannot work as it was declared."""
    for alarm in facts.alarms:
        yield _alarm(alarm)
    for path, host in sorted(facts.strays.items(), key=lambda each: (str(each[0].address), each[0].source)):
        yield error(
            "address_elsewhere",
            path.target,
            f"what {path.source} sends to {path.target} ({path.address}) comes out at {host}",
            f"{host} has the address of {path.target}, too, or the two were declared the wrong way round",
            f"on {host}: ip address del {path.address}/... ; or overlace host set {path.target} --endpoint ADDRESS",
        )
    hosts = sorted(facts.snapshot.all(Host), key=lambda host: host.id)
    yield from _declared(hosts)
    yield from _families(hosts)
    yield from _overlaps(facts, hosts)


def _alarm(alarm: Alarm) -> Finding:
    kind, cause, cure = _ALARMS[alarm.kind]
    severe = warning if kind == "network_too_wide" else error
    return severe(kind, ", ".join(alarm.hosts), alarm.text, cause, cure)


def _declared(hosts: list[Host]) -> Iterator[Finding]:
    owners: dict[IPAddress, list[str]] = defaultdict(list)
    for host in hosts:
        for address in host.addresses:
            owners[address].append(host.id)
            if address.is_loopback or address.is_multicast or address.is_unspecified:
                yield error(
                    "endpoint_unusable",
                    host.id,
                    f"{host.id} was declared with the tunnel endpoint {address}",
                    "no other host can reach such an address",
                    f"overlace host set {host.id} --endpoint ADDRESS",
                )
        if not host.addresses and not host.fabric_interface:
            yield warning(
                "no_endpoint",
                host.id,
                f"{host.id} was declared without a tunnel endpoint",
                "it serves its own ports, and reaches no other host",
                f"overlace host set {host.id} --endpoint ADDRESS",
            )
    for address, names in owners.items():
        if len(names) > 1:
            yield error(
                "duplicate_endpoint",
                ", ".join(names),
                f"{' and '.join(names)} were declared with the same tunnel endpoint {address}",
                "one of them is misspelt, or was cloned from the other",
                f"overlace host set {names[-1]} --endpoint ADDRESS",
            )


def _families(hosts: list[Host]) -> Iterator[Finding]:
    speaking: dict[frozenset[int], list[str]] = defaultdict(list)
    for host in hosts:
        if host.addresses:
            speaking[frozenset(address.version for address in host.addresses)].append(host.id)
    only4, only6 = speaking.get(frozenset({4}), []), speaking.get(frozenset({6}), [])
    if only4 and only6:
        yield error(
            "no_common_family",
            ", ".join((*only4, *only6)),
            f"{', '.join(only4)} have IPv4 endpoints only, {', '.join(only6)} IPv6 only",
            "hosts reach each other at endpoints of a family that both have",
            "give those on one side an endpoint of the other family: overlace host set NAME --endpoint A --endpoint B",
        )


def _overlaps(facts: Facts, hosts: list[Host]) -> Iterator[Finding]:
    for subnet in sorted(facts.snapshot.all(Subnet), key=lambda subnet: subnet.id):
        inside = [host.id for host in hosts if any(each in subnet.cidr for each in host.addresses)]
        if inside:
            network = facts.snapshot.get(Network, subnet.network_id)
            name = (network.name if network else "") or subnet.network_id
            yield warning(
                "subnet_overlaps_underlay",
                name,
                f"subnet {subnet.cidr} of network {name} contains the tunnel endpoints of {', '.join(inside)}",
                "guests and hosts have the same addresses: whoever reads a log or adds a route takes one for the other",
                "choose another range for the network, or be sure that it is never routed to the underlay",
            )
