"""Bindings follow interfaces: the state machine of DESIGN section 4.

    interface appears, port bound nowhere       -> ACTIVE here
    interface appears, port active elsewhere    -> PREPARED here, of the next generation
    first frame at the prepared host, or the API -> ACTIVE here; RELEASING where it was
    interface disappears                        -> the binding ends; an active one only if nothing is prepared

The link state decides nothing, and nothing goes back: a generation that has been superseded stays so. The
functions here run inside a store transaction and are idempotent.
"""

from dataclasses import replace
from typing import Protocol, TypeVar

from overlace.model.port import Binding, BindingState, Port
from overlace.model.site import Host

V = TypeVar("V")


class Intents(Protocol):
    """The part of a store transaction that bindings need."""

    def get(self, cls: type[V], key: str) -> V | None:
        """The value, or None."""
        ...

    def members(self, cls: type[V], index: str, outer: str, inner: str = "") -> "list[V]":
        """The values under an index."""
        ...

    def put(self, value: object) -> None:
        """Write a value."""
        ...

    def delete(self, cls: type, key: str) -> None:
        """Remove a value."""
        ...

    def allocate(self, pool: str) -> int:
        """Take a free number of a pool."""
        ...

    def release(self, pool: str, number: int) -> None:
        """Give a number back; it rests until nobody can hold it any more."""
        ...


def zone_pool(host_id: str) -> str:
    """The pool of conntrack zones of a host."""
    return f"zone:{host_id}"


def plugged(intents: Intents, port_id: str, host_id: str) -> bool:
    """An interface of the port is on the host. Returns False when nothing had to change, or nothing may."""
    port, host = intents.get(Port, port_id), intents.get(Host, host_id)
    if port is None or host is None or not may_use(host, port) or _at(intents, port_id, host_id) is not None:
        return False
    others = bindings_of(intents, port_id)
    active = any(each.state is BindingState.ACTIVE for each in others)
    state = BindingState.PREPARED if active else BindingState.ACTIVE
    generation = 1 + max((each.generation for each in others), default=0)
    zone = intents.allocate(zone_pool(host_id))
    intents.put(
        Binding(
            port_id=port_id,
            network_id=port.network_id,
            host_id=host_id,
            state=state,
            generation=generation,
            zone=zone,
        )
    )
    return True


def activated(intents: Intents, port_id: str, host_id: str) -> bool:
    """The port has started on a host that had prepared it. Returns False for stragglers and repetitions."""
    here = _at(intents, port_id, host_id)
    if here is None or here.state is not BindingState.PREPARED:
        return False
    for other in bindings_of(intents, port_id):
        if other.host_id != host_id and other.state is BindingState.ACTIVE:
            intents.put(replace(other, state=BindingState.RELEASING))
    intents.put(replace(here, state=BindingState.ACTIVE))
    return True


def unplugged(intents: Intents, port_id: str, host_id: str) -> bool:
    """No interface of the port is on the host any more. Returns False when its binding stays as it is."""
    here = _at(intents, port_id, host_id)
    if here is None:
        return False
    prepared = any(each.state is BindingState.PREPARED for each in bindings_of(intents, port_id))
    if here.state is BindingState.ACTIVE and prepared:
        return False  # the guest is between two hosts: only its first frame there decides
    intents.delete(Binding, here.id)
    intents.release(zone_pool(host_id), here.zone)
    return True


def may_use(host: Host, port: Port) -> bool:
    """Hosts may be reserved for projects."""
    return not host.projects or port.project_id in host.projects


def bindings_of(intents: Intents, port_id: str) -> list[Binding]:
    """All bindings of a port."""
    return list(intents.members(Binding, "port", port_id))


def _at(intents: Intents, port_id: str, host_id: str) -> Binding | None:
    return next((each for each in bindings_of(intents, port_id) if each.host_id == host_id), None)
