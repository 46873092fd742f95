"""Reach: at which of its tunnel endpoints a host is reached, and by whom.

Hosts need not speak the same IP versions: the way to a host is said once for each kind of host that asks. When
an address falls silent for a site while another one of the host still answers there, the hosts of that site get
a rule of higher priority that goes to the other one: a detour. The rule that they had stays, so both the detour
and its end are one flow more or less, and no frame meets an empty table.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address

from overlace.compiler.pipeline import DESTINATION_HOST, TUNNEL_OFPORT, CookieClass, Table, cookie
from overlace.compiler.plan import Fragment
from overlace.compiler.reader import Reader
from overlace.compiler.rule import rule
from overlace.compiler.unit import Memberships, Output, UnitId, family_audience, site_audience
from overlace.datapath.actions import Action, Output as Send, set_field
from overlace.datapath.fields import Field
from overlace.datapath.flow import Flow
from overlace.kit.addresses import IPAddress
from overlace.model.observation import Silence
from overlace.model.site import Host

_FAMILIES = ("4", "6", "46")
_DIRECT, _DETOUR = 100, 150


@dataclass(frozen=True, slots=True)
class ReachView:
    """A host with its tunnel addresses, best first, and those of them that are silent for a site."""

    name: str
    key: int
    site: str
    addresses: tuple[IPAddress, ...]
    silent: frozenset[Silence]


def project(reader: Reader, unit: UnitId) -> ReachView | None:
    """Read one host, and what is heard of its addresses."""
    host = reader.get(Host, unit[0])
    if host is None:
        return None
    return ReachView(host.id, host.key, host.site_id, host.addresses, reader.silent(host.id))


def build(host: ReachView) -> Output:
    """The ways to the host, and which ways to others it is told of itself."""
    families = "".join(map(str, sorted({address.version for address in host.addresses})))
    return Output(
        (*_ways_there(host), *_detours(host)),
        Memberships(
            (
                (host.name, family_audience(families)),
                (host.name, site_audience(host.site, families)),
            )
        ),
    )


def first_heard(addresses: Iterable[IPAddress], silent: frozenset[Silence], site: str) -> IPAddress | None:
    """The best of a host's addresses that answers a site; None when none does."""
    return next((address for address in addresses if (site, address) not in silent), None)


def tunnel_to(address: IPAddress) -> tuple[Action, ...]:
    """Aim the tunnel at an underlay address, and no longer at one of the other IP version: a copy of a broadcast
    has been at another host before, and where both are set the IPv4 address wins."""
    of_v4 = isinstance(address, IPv4Address)
    return (
        set_field(Field.TUN_DST, int(address) if of_v4 else 0),
        set_field(Field.TUN_IPV6_DST, 0 if of_v4 else int(address)),
    )


def _ways_there(host: ReachView) -> Iterator[Fragment]:
    for families in _FAMILIES:
        if usable := _usable(host.addresses, families):
            flow = _remote(host.key, usable[0], _DIRECT)
            yield Fragment(("reach", host.name, families), (flow,)).to(family_audience(families))


def _detours(host: ReachView) -> Iterator[Fragment]:
    for site in sorted({site for site, _ in host.silent}):
        for families in _FAMILIES:
            usable = _usable(host.addresses, families)
            heard = first_heard(usable, host.silent, site)
            if heard is not None and heard != usable[0]:
                flow = _remote(host.key, heard, _DETOUR)
                detour = Fragment(("detour", host.name, site, families), (flow,))
                yield detour.to(site_audience(site, families))


def _usable(addresses: tuple[IPAddress, ...], families: str) -> list[IPAddress]:
    return [address for address in addresses if str(address.version) in families]


def _remote(key: int, address: IPAddress, priority: int) -> Flow:
    mark = cookie(CookieClass.HOST, key)
    there = {DESTINATION_HOST: key}
    return rule(Table.REMOTE, priority, there, mark, *tunnel_to(address), Send(TUNNEL_OFPORT))
