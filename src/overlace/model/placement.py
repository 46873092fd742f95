"""Where machines go: the host with the fewest, among those that may take them."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from overlace.model.machine import Machine
from overlace.model.site import Host


class NoPlace(Exception):
    """A machine can go nowhere; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A machine and where it is to go."""

    machine: Machine
    to_host: str


def place(
    leaving: Iterable[Machine], candidates: Iterable[Host], everywhere: Iterable[Machine]
) -> tuple[Placed, ...]:
    """A host for each machine, one after the other by id, so that the load stays even. Raises NoPlace."""
    hosts = sorted(candidates, key=lambda host: host.id)
    load = Counter(machine.host_id for machine in everywhere)
    placed = []
    for machine in sorted(leaving, key=lambda each: each.id):
        fitting = [
            host for host in hosts if host.id != machine.host_id and may_take(host, machine.project_id)
        ]
        if not fitting:
            raise NoPlace(_lack(machine, hosts))
        chosen = min(fitting, key=lambda host: (load[host.id], host.id))
        load[chosen.id] += 1
        placed.append(Placed(machine, chosen.id))
    return tuple(placed)


def may_take(host: Host, project_id: str) -> bool:
    """Hosts may be reserved for projects, and those that are only observed take nothing."""
    return not host.observe_only and (not host.projects or project_id in host.projects)


def candidates(
    hosts: Iterable[Host], site: str, leaving: Callable[[Host], bool], alive: Callable[[str], bool]
) -> list[Host]:
    """The hosts at a site (any, where it is empty) that are heard and are not to be left."""
    return [host for host in hosts if site in ("", host.site_id) and not leaving(host) and alive(host.id)]


def _lack(machine: Machine, hosts: list[Host]) -> str:
    if not hosts:
        return f"machine {machine.id} can go nowhere: no other host there is connected"
    names = ", ".join(host.id for host in hosts[:5])
    return (
        f"machine {machine.id} can go nowhere: {names} are reserved for other projects than {machine.project_id}, "
        "or are only observed"
    )
