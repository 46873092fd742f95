"""Ports: addresses, security and place."""

import secrets
import uuid
from typing import Any

from overlace.compiler.pipeline import KNOWN, SENT_ON_MASK
from overlace.kit.addresses import Mac, format_mac
from overlace.model import binder, receipts
from overlace.model.declaration import Attribute
from overlace.model.network import Network
from overlace.model.port import Port
from overlace.northbound.auth.caller import Caller
from overlace.northbound.conversion.ports import RequestedIp, render_address_pair
from overlace.northbound.errors import Conflict, Forbidden, InvalidInput, NotFound
from overlace.northbound.intents import Reader, Transaction
from overlace.northbound.resources import port_binding, port_security, resting
from overlace.northbound.resources.addressing import AddressAllocation, Holder
from overlace.northbound.resources.base import Operation, Resource
from overlace.northbound.schema.attributes import Computed, Perspective
from overlace.store.errors import NumberTaken

_ATTEMPTS = 16


def _pairs(port: Port, _: Perspective) -> list[dict[str, str]]:
    return [render_address_pair(each, port.mac_address) for each in port.allowed_address_pairs]


def _status(port: Port, seen: Perspective) -> str:
    return seen.views.status.port_status(port.id)


_ADMIN = Attribute(post=True, put=True, kind="profile", admin_only=True, admin_view=True, filter=False)
_HOST = Attribute(post=True, put=True, kind="name", admin_only=True, admin_view=True)
_PAIRS = Attribute(post=True, put=True, kind="address_pairs", sort=False)


class Ports(Resource[Port]):
    """The rules of ports."""

    cls = Port
    taggable = True
    filter_indexes = {
        "network_id": "network",
        "device_id": "device",
        "security_groups": "security_group",
    }
    computed = {
        "status": Computed(Attribute(), _status),
        "allowed_address_pairs": Computed(_PAIRS, _pairs),
        "ip_allocation": Computed(Attribute(), lambda _, __: "immediate"),
        "binding:host_id": Computed(_HOST, port_binding.shown_host),
        "binding:profile": Computed(_ADMIN, port_binding.profile),
        "binding:vif_type": Computed(Attribute(admin_view=True), port_binding.vif_type),
        "binding:vif_details": Computed(Attribute(admin_view=True), port_binding.vif_details),
    }

    def __init__(self) -> None:
        super().__init__()
        self.allocation = AddressAllocation()

    def create(self, operation: Operation, given: dict[str, Any]) -> Port:
        """Choose what was omitted: MAC address, addresses, security groups; bind it where asked."""
        return self._make(operation, given, str(uuid.uuid4()), operation.transaction.allocate("port_key"))

    def recover(self, operation: Operation, given: dict[str, Any], port_id: str, port_key: int) -> Port:
        """As `create`, for a port that has its id already, and its key if nobody else has that."""
        if operation.transaction.get(Port, port_id) is not None:
            raise Conflict("PortInUse", f"There is a port {port_id}.")
        try:
            operation.transaction.request("port_key", port_key)
        except NumberTaken:
            port_key = operation.transaction.allocate("port_key")
        return self._make(operation, given, port_id, port_key)

    def _make(self, operation: Operation, given: dict[str, Any], key: str, port_key: int) -> Port:
        network = _network(operation, given["network_id"])
        _authorise(operation.caller, network, given)
        port_binding.validate_vnic_type(given)
        transaction = operation.transaction
        mac = self._mac(operation, network.id, given.get("mac_address"))
        requested: tuple[RequestedIp, ...] | None = given.get("fixed_ips")
        holder = Holder(key, network.id, given["project_id"])
        fixed_ips = self.allocation.addresses(transaction, holder, mac, requested)
        resting.wake(transaction, network.id, fixed_ips)
        given.setdefault("port_security_enabled", network.port_security_enabled)
        port = self.construct(
            given,
            id=key,
            mac_address=mac,
            fixed_ips=fixed_ips,
            security_groups=port_security.initial_groups(operation, given),
            **port_binding.profile_fields(given.get("binding:profile", {})),
            key=port_key,
        )
        port_security.validate(port)
        port_binding.refuse_shared_interface(operation, port)
        transaction.put(port)
        port_binding.bind(operation, port)
        return port

    def update(self, operation: Operation, value: Port, given: dict[str, Any]) -> Port:
        """Change it, with the same care as for a new one."""
        network = _network(operation, value.network_id)
        _authorise(operation.caller, network, given)
        port_binding.validate_vnic_type(given)
        fields: dict[str, Any] = {}
        if "mac_address" in given and given["mac_address"] != value.mac_address:  # null asks for another
            fields["mac_address"] = self._mac(operation, network.id, given["mac_address"])
        if "fixed_ips" in given:
            mac = fields.get("mac_address", value.mac_address)
            holder = Holder(value.id, network.id, value.project_id)
            addresses = self.allocation.addresses(operation.transaction, holder, mac, given["fixed_ips"])
            gone = [each for each in value.fixed_ips if each not in addresses]
            resting.wake(operation.transaction, network.id, addresses)
            resting.rest(operation.transaction, value, gone)
            fields["fixed_ips"] = addresses
            self.allocation.release(value.fixed_ips)
        if "security_groups" in given:
            port_security.require_groups(operation, given["security_groups"])
        if "extra_dhcp_opts" in given:
            fields["extra_dhcp_opts"] = port_security.merged_options(value, given["extra_dhcp_opts"])
        if "binding:profile" in given:
            fields |= port_binding.profile_fields(given["binding:profile"])
        changed = self.changed(value, given, **fields)
        port_security.validate(changed)
        port_binding.refuse_shared_interface(operation, changed)
        operation.transaction.put(changed)
        if "binding:host_id" in given:
            port_binding.bind(operation, changed)
        return changed

    def delete(self, operation: Operation, value: Port) -> None:
        """Remove it with its bindings."""
        binder.remove_all(operation.transaction, value.id)
        receipts.forget(operation.transaction, value.id)
        operation.transaction.delete(Port, value.id)
        operation.transaction.release("port_key", value.key)
        resting.rest(operation.transaction, value, value.fixed_ips)
        self.allocation.release(value.fixed_ips)

    def visible(self, value: Port, caller: Caller, reader: Reader) -> bool:
        """The project's own, and those on its networks."""
        if caller.is_admin or self.owned(value, caller):
            return True
        network = reader.get(Network, value.network_id)
        return network is not None and network.project_id == caller.project_id

    def owned(self, value: Port, caller: Caller) -> bool:
        """By project."""
        return value.project_id == caller.project_id

    @staticmethod
    def _mac(operation: Operation, network_id: str, wanted: Mac | None) -> Mac:
        transaction = operation.transaction
        if wanted is not None:
            if wanted & SENT_ON_MASK == KNOWN:
                raise InvalidInput(
                    f"mac_address {format_mac(wanted)}: 0a:4c:... to 0a:4f:... are Overlace's own"
                )
            if _mac_used(transaction, network_id, wanted):
                raise Conflict(
                    "MacAddressInUse",
                    f"Unable to complete operation for network {network_id}. "
                    f"The mac address {format_mac(wanted)} is in use.",
                )
            return wanted
        for _ in range(_ATTEMPTS):
            mac = Mac(operation.configuration.mac_base | secrets.randbits(24))
            if not _mac_used(transaction, network_id, mac):
                return mac
        raise Conflict(
            "MacAddressGenerationFailure", f"Unable to generate unique mac on network {network_id}."
        )


def _mac_used(transaction: Transaction, network_id: str, mac: Mac) -> bool:
    return any(True for _ in transaction.members(Port, "mac", network_id, mac))


def _network(operation: Operation, network_id: str) -> Network:
    network = operation.transaction.get(Network, network_id)
    caller = operation.caller
    if network is None or not (caller.is_admin or network.shared or network.project_id == caller.project_id):
        raise NotFound("network", network_id)
    return network


_OWNERS_ONLY = ("mac_address", "port_security_enabled", "allowed_address_pairs")


def _authorise(caller: Caller, network: Network, given: dict[str, Any]) -> None:
    """On a shared network of somebody else, addresses and port security are not the caller's to set."""
    if caller.is_admin or network.project_id == caller.project_id:
        return
    for name in _OWNERS_ONLY:
        if name in given:
            raise Forbidden(f"(rule:create_port:{name})")
    for fixed in given.get("fixed_ips") or ():
        if fixed.ip_address is not None:
            raise Forbidden("(rule:create_port:fixed_ips:ip_address)")
