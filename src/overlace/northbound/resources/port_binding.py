"""What binding attributes of a port mean: a binding with a place, a generation and a conntrack zone."""

from collections.abc import Iterable
from typing import Any

from msgspec import json

from overlace.model import binder
from overlace.model.move import Cause, Trigger
from overlace.model.port import Binding, BindingState, Port, binding_id
from overlace.model.site import Host
from overlace.northbound.errors import Conflict, Forbidden, InvalidInput, NotFound
from overlace.northbound.intents import Reader
from overlace.northbound.resources.base import Operation
from overlace.northbound.schema.attributes import Perspective

BOUND, UNBOUND, FAILED = "ovs", "unbound", "binding_failed"
_VNIC_TYPES = ("normal",)
_LARGEST_PROFILE = 4095
"""Characters; Neutron keeps as many."""


def bind(operation: Operation, port: Port) -> None:
    """Make the binding at `port.host_id` the active one; the one that was active begins its release.

    A host that is not declared yet gives no binding: the port shows ``binding_failed``.
    """
    if not port.host_id:
        binder.remove_all(operation.transaction, port.id)
        return
    if operation.transaction.get(Host, port.host_id) is None:
        binder.release_others(operation.transaction, port.id, port.host_id)
        return
    here = binding_at(operation.transaction, port.id, port.host_id)
    if here is None or here.state is BindingState.RELEASING:
        here = prepare(operation, port, port.host_id)
    if here.state is BindingState.PREPARED:
        activate(operation, here)


def prepare(operation: Operation, port: Port, host_id: str) -> Binding:
    """Wire a port at a host under the next generation. Raises Forbidden, or NotFound without the host."""
    try:
        return binder.prepare(operation.transaction, port.id, host_id, cause(operation))
    except binder.UnknownHost:
        raise NotFound("host", host_id) from None
    except binder.HostReserved as refusal:
        raise Forbidden(f"({refusal})") from None


def activate(operation: Operation, binding: Binding) -> Binding:
    """Give a prepared binding the port's traffic; the one that had it begins its release."""
    return binder.activate(operation.transaction, binding, cause(operation))


def cause(operation: Operation) -> Cause:
    """The caller, for the receipt."""
    return Cause(Trigger.API, operation.caller.user_id)


def binding_at(reader: Reader, port_id: str, host_id: str) -> Binding | None:
    """The binding of a port at a host, as the API has it: what is fenced there is none."""
    found = reader.get(Binding, binding_id(port_id, host_id))
    return None if found is None or found.state is BindingState.FENCED else found


def active_binding(reader: Reader, port_id: str) -> Binding | None:
    """The binding that has the port's traffic."""
    found: Iterable[Binding] = reader.members(Binding, "port", port_id)
    return next((each for each in found if each.state is BindingState.ACTIVE), None)


def shown_host(port: Port, seen: Perspective) -> str:
    """Where the port is: its active binding, or what was asked for."""
    binding = active_binding(seen.reader, port.id)
    return port.host_id if binding is None else binding.host_id


def vif_type(port: Port, seen: Perspective) -> str:
    """How the interface is plugged."""
    if active_binding(seen.reader, port.id) is not None:
        return BOUND
    return FAILED if port.host_id else UNBOUND


def vif_details(port: Port, seen: Perspective) -> dict[str, Any]:
    """What a hypervisor has to know to plug it."""
    binding = active_binding(seen.reader, port.id)
    return {} if binding is None else plug_details(binding, seen.reader)


def plug_details(binding: Binding, reader: Reader) -> dict[str, Any]:
    """The details at one host."""
    host = reader.get(Host, binding.host_id)
    if host is None:
        return {}
    return {"port_filter": True, "ovs_hybrid_plug": False, "connectivity": "l2", "bridge_name": host.bridge}


def profile(port: Port, _: Perspective) -> dict[str, Any]:
    """As it was given."""
    return _profile_of(port)


def _profile_of(port: Port) -> dict[str, Any]:
    return _kept(port.profile) | ({"interface_name": port.interface_name} if port.interface_name else {})


def _kept(text: str | None) -> dict[str, Any]:
    kept: dict[str, Any] = json.decode(text) if text else {}
    return kept


def profile_fields(given: dict[str, Any]) -> dict[str, str]:
    """The fields of a port that a binding:profile fills: the interface that it names, and the rest as it is.

    Raises InvalidInput for a name that no interface has, and for more than is worth keeping.
    """
    rest = {key: value for key, value in given.items() if key != "interface_name"}
    name = given.get("interface_name", "")
    if not isinstance(name, str) or len(name) > 15:
        raise InvalidInput("interface_name is at most 15 characters")
    return {"interface_name": name, "profile": kept_profile(rest)}


def kept_profile(given: dict[str, Any]) -> str:
    """A profile as it is stored. Raises InvalidInput for more than is worth keeping."""
    text = json.encode(given, order="sorted").decode() if given else ""
    if len(text) > _LARGEST_PROFILE:
        raise InvalidInput(f"binding:profile is larger than {_LARGEST_PROFILE} characters")
    return text


def binding_profile(binding: Binding, port: Port | None) -> dict[str, Any]:
    """The profile of one binding: the active one's is the port's."""
    if binding.state is BindingState.ACTIVE and port is not None:
        return _profile_of(port)
    return _kept(binding.profile)


def validate_vnic_type(given: dict[str, Any]) -> None:
    """Only what a software switch can plug."""
    kind = given.get("binding:vnic_type", "normal")
    if kind not in _VNIC_TYPES:
        raise InvalidInput(f"binding:vnic_type '{kind}' is not supported, only {', '.join(_VNIC_TYPES)}")


def refuse_shared_interface(operation: Operation, port: Port) -> None:
    """One interface of a host is one port."""
    if not port.interface_name:
        return
    others = operation.transaction.members(Port, "interface", port.host_id, port.interface_name)
    for other in others:
        if other.id != port.id:
            raise Conflict(
                "InterfaceInUse", f"Interface {port.interface_name} of {port.host_id} is port {other.id}."
            )
