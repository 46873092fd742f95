"""Why a port has no working binding, from what hosts say about their interfaces."""

from collections.abc import Iterator

from overlace.engine.interfaces import Interfaces, PluggedInterface
from overlace.engine.reason import Ground, Reason
from overlace.engine.switch_facts import AskSwitch, switch_reasons
from overlace.model.binder import is_copy, may_use
from overlace.model.port import Binding, BindingState, Port
from overlace.model.site import Host
from overlace.model.snapshot import Snapshot


def attachment_reasons(
    snapshot: Snapshot, interfaces: Interfaces, port: Port, switch: AskSwitch
) -> Iterator[Reason]:
    """Causes on the way from an interface to a working, active binding; none when all is well."""
    bindings = {each.host_id: each for each in snapshot.members(Binding, "port", port.id)}
    active = next((each for each in bindings.values() if each.state is BindingState.ACTIVE), None)
    plugged = {
        host.id: found for host in snapshot.all(Host) if (found := _interfaces(interfaces, host, port))
    }
    for host in sorted(plugged):
        away = active is not None and _is_away(active.host_id, switch)
        yield from _at_host(
            snapshot, port, host, plugged[host], bindings.get(host), elsewhere=active, away=away
        )
    if active is not None:
        yield from switch_reasons(active.host_id, switch(active.host_id))
        if active.host_id not in plugged and not _is_away(active.host_id, switch):
            text = f"the interface of the port is gone from {active.host_id}"
            yield Reason(Ground.NOT_PLUGGED, text, _plug(port), active.host_id)
    elif not plugged and not bindings:
        yield from _nowhere(snapshot, interfaces, port, switch)


def _interfaces(interfaces: Interfaces, host: Host, port: Port) -> list[PluggedInterface]:
    announcing = interfaces.announcing(host.id, port.id)
    if announcing or port.host_id != host.id or not port.interface_name:
        return announcing
    named = interfaces.named(host.id, port.interface_name)
    return [named] if named is not None else []


def _at_host(
    snapshot: Snapshot,
    port: Port,
    host: str,
    found: list[PluggedInterface],
    binding: Binding | None,
    elsewhere: Binding | None,
    away: bool,
) -> Iterator[Reason]:
    if len(found) > 1:
        names = ", ".join(each.name for each in found)
        text = (
            f"{len(found)} interfaces of {host} announce the port: {names}; which one it is cannot be known"
        )
        cure = f"on {host}, for all but one: ovs-vsctl remove interface NAME external_ids iface-id"
        yield Reason(Ground.ANNOUNCED_TWICE, text, cure, host, elsewhere is None or elsewhere.host_id == host)
        return
    interface, known = found[0], snapshot.get(Host, host)
    if known is not None and not may_use(known, port):
        text = f"plugged in at {host}, which is reserved for other projects than {port.project_id}"
        cure = f"move the workload, or let the project use {host}: overlace host set"
        yield Reason(Ground.HOST_NOT_ALLOWED, text, cure, host, blocking=elsewhere is None)
    elif interface.ofport is None or interface.ofport < 1:
        said = f": {interface.error}" if interface.error else " yet"
        text = f"interface {interface.name} of {host} has no OpenFlow port{said}"
        cure = f"on {host}: ovs-vsctl list interface {interface.name}"
        yield Reason(Ground.NO_OFPORT, text, cure, host, elsewhere is None or elsewhere.host_id == host)
    elif binding is None and elsewhere is not None and (away or is_copy(port, elsewhere, host)):
        yield _duplicate(port, interface, elsewhere.host_id, away=away)
    elif binding is None:
        text = f"interface {interface.name} of {host} is there, its binding is being made"
        yield Reason(Ground.BINDING_PENDING, text, "wait a moment and ask again", host, elsewhere is None)
    elif binding.state is BindingState.PREPARED:
        text = f"prepared at {host}: its first frame there, or an activation, makes it active"
        cure = f"let the workload start at {host} (it sends a RARP or any frame)"
        yield Reason(Ground.PREPARED, text, cure, host, blocking=elsewhere is None)
    elif binding.state is BindingState.FENCED:
        text = f"interface {interface.name} of {host} is fenced: the port has moved on"
        text += f" ({binding.reason})" if binding.reason else ""
        cure = f"take the old interface off {host}: ovs-vsctl del-port {interface.name}"
        yield Reason(Ground.FENCED, text, cure, host, blocking=elsewhere is None)


def _duplicate(port: Port, interface: PluggedInterface, holder: str, *, away: bool) -> Reason:
    here, name = interface.host, port.name or port.id
    text = f"interface {interface.name} of {here} announces the port, which is active at {holder}: it is not served"
    if away:
        text += f"; {holder} is away, and whether the workload still runs there is not known"
        cure = (
            f"make sure that {holder} is off (fence it), then say so: openstack port set --host {here} {name}"
        )
    else:
        text += f", since the port was asked for at {holder}; two workloads seem to be one"
        cure = f"on {here}: ovs-vsctl del-port {interface.name}; or move it: openstack port set --host {here} {name}"
    return Reason(Ground.DUPLICATE, text, cure, here, blocking=False)


def _nowhere(snapshot: Snapshot, interfaces: Interfaces, port: Port, switch: AskSwitch) -> Iterator[Reason]:
    if port.interface_name:
        text = f"{port.host_id} has no interface {port.interface_name}, by which the port is to be found"
        yield Reason(Ground.NOT_PLUGGED, text, "plug it in, or correct binding:profile", port.host_id)
    else:
        text = f"no host has an interface with external_ids:iface-id={port.id}"
        misnamed = _misnamed(snapshot, interfaces, port)
        if misnamed is not None:
            text += f"; {misnamed.name} of {misnamed.host} says {misnamed.iface_id}, which is its name and not its id"
        yield Reason(Ground.NOT_PLUGGED, text, _plug(port))
    for host in sorted(snapshot.all(Host), key=lambda each: each.id):
        if may_use(host, port) and (not port.host_id or port.host_id == host.id):
            yield from switch_reasons(host.id, switch(host.id), blocking=False)


def _misnamed(snapshot: Snapshot, interfaces: Interfaces, port: Port) -> PluggedInterface | None:
    hosts = snapshot.all(Host) if port.name else ()
    found = (each for host in hosts for each in interfaces.announcing(host.id, port.name))
    return next(found, None)


def _is_away(host: str, switch: AskSwitch) -> bool:
    """What a host that is away has plugged in is not known, and the last it said stands."""
    return not switch(host).database


def _plug(port: Port) -> str:
    return f"on the host: ovs-vsctl set interface NAME external_ids:iface-id={port.id}"
