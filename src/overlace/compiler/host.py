"""Hosts: from whom frames are accepted, and how each host is reached, by every technology."""

from overlace.compiler.pipeline import DESTINATION_HOST, CookieClass, Table, cookie
from overlace.compiler.reader import Reader
from overlace.compiler.rule import rule
from overlace.compiler.technologies.members import TECHNOLOGIES
from overlace.compiler.technologies.technology import HostView, fragment
from overlace.compiler.unit import ALL_HOSTS, Memberships, Output, UnitId, switch_audience
from overlace.model.site import Host


def project(reader: Reader, unit: UnitId) -> HostView | None:
    """Read one host, and the number of its interface into the fabric."""
    host = reader.get(Host, unit[0])
    if host is None:
        return None
    ports = reader.fabric_ports(host.id) if host.fabric_interface else None
    return HostView(
        host.id,
        host.key,
        host.addresses,
        None if ports is None else ports.get(host.fabric_interface),
    )


def build(host: HostView) -> Output:
    """The fragment about this host that all hosts share, and the one that keeps it from sending to itself."""
    mark = cookie(CookieClass.HOST, host.key)
    shared = [technology.host(host, mark) for technology in TECHNOLOGIES.values()]
    own = [technology.own(host, mark) for technology in TECHNOLOGIES.values()]
    itself = rule(Table.ENCAPSULATE, 250, {DESTINATION_HOST: host.key}, mark)
    return Output(
        (
            fragment(("host", host.name), shared).to(ALL_HOSTS),
            fragment(("self", host.name), own, itself).to(switch_audience(host.name)),
        ),
        Memberships(((host.name, ALL_HOSTS), (host.name, switch_audience(host.name)))),
    )
