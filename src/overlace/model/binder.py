"""The life of a port between hosts: one state machine, driven by the API and by interfaces alike (DESIGN section 4).

    bound nowhere --prepare, activate--> ACTIVE
    PREPARED  --the API, or its first frame--> ACTIVE       what was active elsewhere: RELEASING
    PREPARED  --given up, or a copy of the workload--> FENCED
    RELEASING --time--> FENCED
    RELEASING, FENCED, PREPARED --interface gone--> no binding

The link state decides nothing, and nothing goes back: a port's generation only rises, over all its bindings, so
what switches have learned of an earlier generation matches nothing. A move given up gives the active binding a new
generation for the same reason. The functions run inside a store transaction, are idempotent, and leave receipts
(`model.receipts`).
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from overlace.model import receipts
from overlace.model.intents import Intents
from overlace.model.move import Cause, MoveState, Trigger
from overlace.model.port import Binding, BindingState, Port, binding_id
from overlace.model.site import Host
from overlace.model.trail import KEPT, Trail, leads_to, trails_of

RELEASE = timedelta(seconds=60)
"""How long an old host redirects late frames at most."""
FLIPS, FLIP_WINDOW = 5, timedelta(seconds=10)
"""So many first frames at other hosts within this time, and the next is taken for a copy of the workload."""
_ENDED = (BindingState.RELEASING, BindingState.FENCED)


class BindingRefused(Exception):
    """A step that may not be taken; the text says why."""


class UnknownHost(BindingRefused):
    """There is no such host."""


class HostReserved(BindingRefused):
    """The host is for other projects."""


class NotPrepared(BindingRefused):
    """Only what is prepared can be activated."""


def zone_pool(host_id: str) -> str:
    """The pool of conntrack zones of a host."""
    return f"zone:{host_id}"


# --- what interfaces and first frames do -------------------------------------------------------------------


def plugged(intents: Intents, port_id: str, host_id: str) -> bool:
    """An interface of the port is on the host. Returns False when nothing had to change, or nothing may."""
    port, host = intents.get(Port, port_id), intents.get(Host, host_id)
    if port is None or host is None or not may_use(host, port) or binding_at(intents, port_id, host_id):
        return False
    if is_copy(port, active_binding(intents, port_id), host_id):
        return False
    cause = Cause(Trigger.INTERFACE)
    binding = prepare(intents, port_id, host_id, cause)
    if active_binding(intents, port_id) is None:
        activate(intents, binding, cause)
    return True


def activated(intents: Intents, port_id: str, host_id: str) -> bool:
    """The port has spoken on a host that had prepared it. Returns False for stragglers and repetitions."""
    here = binding_at(intents, port_id, host_id)
    if here is None or here.state is not BindingState.PREPARED:
        return False
    if receipts.flips(intents, port_id, FLIP_WINDOW) >= FLIPS:
        reason = f"{FLIPS} changes of host within {FLIP_WINDOW.seconds} s: two hosts seem to run the workload"
        _give_up(intents, here, MoveState.DUPLICATE, reason)
    else:
        activate(intents, here, Cause(Trigger.FIRST_FRAME))
    return True


def unplugged(intents: Intents, port_id: str, host_id: str) -> bool:
    """No interface of the port is on the host any more. Returns False when its binding stays as it is."""
    here = binding_at(intents, port_id, host_id)
    if here is None or _stays(intents, here):
        return False
    if here.state is BindingState.PREPARED:
        _give_up(
            intents, here, MoveState.ABORTED, f"the interface at {host_id} went away before its first frame"
        )
    elif here.state is BindingState.RELEASING:
        receipts.end_release(intents, port_id, host_id)
    remove(intents, here)
    return True


def expired(intents: Intents) -> bool:
    """Old hosts stop redirecting once late frames are through. Returns False when there was none to stop."""
    late = [
        each
        for each in list(intents.members(Binding, "passing", BindingState.RELEASING.value))
        if each.since is None or intents.now - each.since >= RELEASE
    ]
    for each in late:
        receipts.end_release(intents, each.port_id, each.host_id)
        _enter(intents, each, BindingState.FENCED, "the port has moved away and its interface is still here")
    return bool(late)


def forgotten(intents: Intents, days: Iterable[str]) -> bool:
    """The trails that began on these days are over. Returns False when there was none."""
    old = [each for day in days for each in list(intents.members(Trail, "day", day))]
    for each in old:
        forget(intents, each)
    return bool(old)


# --- the steps, for those who ask by name ------------------------------------------------------------------


def prepare(intents: Intents, port_id: str, host_id: str, cause: Cause) -> Binding:
    """Wire a port at a host under its next generation; what is prepared or active there already stays as it is.

    Raises UnknownHost, HostReserved, or KeyError without the port.
    """
    port, host = intents.get(Port, port_id), intents.get(Host, host_id)
    if port is None:
        raise KeyError(port_id)
    if host is None:
        raise UnknownHost(host_id)
    if not may_use(host, port):
        raise HostReserved(f"host {host_id} is reserved for other projects than {port.project_id}")
    here = binding_at(intents, port_id, host_id)
    if here is not None and here.state not in _ENDED:
        return here
    if here is not None and here.state is BindingState.RELEASING:
        receipts.end_release(intents, port_id, host_id)
    binding = Binding(
        port_id=port_id,
        network_id=port.network_id,
        host_id=host_id,
        state=BindingState.PREPARED,
        generation=_next_generation(intents, port_id),
        zone=_zone(intents, here, port_id, host_id),
        since=intents.now,
        profile=here.profile if here is not None and here.state is BindingState.RELEASING else None,
    )
    intents.put(binding)
    active = active_binding(intents, port_id)
    if active is not None:
        receipts.open_receipt(intents, port, active, binding, cause)
    return binding


def activate(intents: Intents, binding: Binding, cause: Cause) -> Binding:
    """Give a prepared binding the port's traffic; the one that had it begins its release. Raises NotPrepared."""
    if binding.state is not BindingState.PREPARED:
        raise NotPrepared(
            f"port {binding.port_id} is {binding.state.value} on host {binding.host_id}, not prepared"
        )
    release_others(intents, binding.port_id, binding.host_id)
    receipts.note_activation(intents, binding, cause)
    _take_profile(intents, binding)
    return _enter(intents, binding, BindingState.ACTIVE)


def abort(intents: Intents, binding: Binding, reason: str) -> None:
    """Give up a prepared binding, or end the release of an old one. What is active stays."""
    if binding.state is BindingState.PREPARED:
        _give_up(intents, binding, MoveState.ABORTED, reason)
    elif binding.state is BindingState.RELEASING:
        receipts.end_release(intents, binding.port_id, binding.host_id)
        _enter(intents, binding, BindingState.FENCED, reason)


def release_others(intents: Intents, port_id: str, host_id: str) -> None:
    """Whatever is active elsewhere begins its release."""
    for each in bindings_of(intents, port_id):
        if each.host_id != host_id and each.state is BindingState.ACTIVE:
            port = intents.get(Port, port_id)
            kept = replace(each, profile=None if port is None else port.profile)
            _enter(intents, kept, BindingState.RELEASING)
            _leave_trail(intents, each)


def remove(intents: Intents, binding: Binding) -> None:
    """Remove a binding and give its zone back, unless the port's connections there are still asked about."""
    intents.delete(Binding, binding.id)
    if not leads_to(intents, binding.port_id, binding.host_id, binding.zone):
        intents.release(zone_pool(binding.host_id), binding.zone)


def forget(intents: Intents, trail: Trail) -> None:
    """Ask a host no longer about a port's connections; the zone is given back unless a binding has it."""
    intents.delete(Trail, trail.id)
    here = binding_at(intents, trail.port_id, trail.host_id)
    if here is None or here.zone != trail.zone:
        intents.release(zone_pool(trail.host_id), trail.zone)


def remove_all(intents: Intents, port_id: str) -> None:
    """Remove every binding of a port, and what it has left behind; moves under way come to nothing."""
    for binding in bindings_of(intents, port_id):
        remove(intents, binding)
    for trail in trails_of(intents, port_id):
        forget(intents, trail)
    receipts.close_all(intents, port_id, "the port was unbound")


# --- looking -----------------------------------------------------------------------------------------------


def may_use(host: Host, port: Port) -> bool:
    """Hosts may be reserved for projects."""
    return not host.projects or port.project_id in host.projects


def is_copy(port: Port, active: Binding | None, host_id: str) -> bool:
    """Whether an interface at this host must be one of a copy of the workload: the port is where it was asked for by
    name, and nobody has asked for it here. Who moves such a port says so (Nova prepares a binding)."""
    return active is not None and active.host_id == port.host_id != host_id


def bindings_of(intents: Intents, port_id: str) -> list[Binding]:
    """All bindings of a port."""
    return list(intents.members(Binding, "port", port_id))


def binding_at(intents: Intents, port_id: str, host_id: str) -> Binding | None:
    """The binding of a port at a host, in whatever state."""
    return intents.get(Binding, binding_id(port_id, host_id))


def active_binding(intents: Intents, port_id: str) -> Binding | None:
    """The binding that has the port's traffic."""
    return next((each for each in bindings_of(intents, port_id) if each.state is BindingState.ACTIVE), None)


# --- inside ------------------------------------------------------------------------------------------------


def _stays(intents: Intents, binding: Binding) -> bool:
    """Whether a binding outlives its interface."""
    if binding.state is BindingState.PREPARED:
        receipt = receipts.receipt_of(intents, binding)
        # the interface is still to come
        return receipt is not None and receipt.prepared_by in (Trigger.API, Trigger.PROCEDURE)
    if binding.state is not BindingState.ACTIVE:
        return False
    port = intents.get(Port, binding.port_id)
    if port is not None and port.host_id == binding.host_id:
        return True  # asked for by name: the port stays bound, and is down
    others = bindings_of(intents, binding.port_id)
    return any(each.state is BindingState.PREPARED for each in others)  # only the first frame there decides


def _take_profile(intents: Intents, binding: Binding) -> None:
    """The profile of the active binding is the port's; where none was given, the port keeps its own."""
    port = intents.get(Port, binding.port_id)
    if port is not None and binding.profile is not None and binding.profile != port.profile:
        intents.put(replace(port, profile=binding.profile))


def _give_up(intents: Intents, binding: Binding, state: MoveState, reason: str) -> None:
    """What peers may have learned of this move must match nothing from now on."""
    receipts.give_up(intents, binding, state, reason)
    _enter(intents, binding, BindingState.FENCED, reason)
    active = active_binding(intents, binding.port_id)
    if active is not None:
        intents.put(replace(active, generation=_next_generation(intents, binding.port_id)))


def _zone(intents: Intents, here: Binding | None, port_id: str, host_id: str) -> int:
    """A port that comes back gets another than the one that it has left behind."""
    if here is not None and not leads_to(intents, port_id, host_id, here.zone):
        return here.zone
    return intents.allocate(zone_pool(host_id))


def _leave_trail(intents: Intents, binding: Binding) -> None:
    for old in trails_of(intents, binding.port_id)[KEPT - 1 :]:
        forget(intents, old)
    intents.put(
        Trail(
            port_id=binding.port_id,
            network_id=binding.network_id,
            host_id=binding.host_id,
            zone=binding.zone,
            since=intents.now,
        )
    )


def _enter(intents: Intents, binding: Binding, state: BindingState, reason: str = "") -> Binding:
    entered = replace(binding, state=state, since=intents.now, reason=reason)
    intents.put(entered)
    return entered


def _next_generation(intents: Intents, port_id: str) -> int:
    port = intents.get(Port, port_id)
    if port is None:
        raise KeyError(port_id)
    intents.put(replace(port, generation=port.generation + 1))
    return port.generation + 1
