"""Networks: how they are carried, their MTU, and what goes with them when they are deleted."""

import uuid
from typing import Any

from overlace.model.declaration import Attribute
from overlace.model.network import Network, Segment, Subnet
from overlace.model.port import Port
from overlace.northbound.auth.caller import Caller
from overlace.northbound.conversion.segments import SegmentRequest
from overlace.northbound.errors import Conflict
from overlace.northbound.intents import Reader
from overlace.northbound.resources import resting
from overlace.northbound.resources.base import Operation, Resource
from overlace.northbound.resources.mtu import network_mtu, refuse_narrow
from overlace.northbound.resources.segmentation import (
    carried,
    create_segment,
    delete_segment,
    requested_segments,
)
from overlace.northbound.schema.attributes import Computed, Perspective


def _segments(network: Network, seen: Perspective) -> list[Segment]:
    """Those that somebody asked for."""
    segments = seen.reader.members(Segment, "network", network.id)
    return sorted((each for each in segments if not each.implied), key=lambda each: each.network_type)


def _subnet_ids(network: Network, seen: Perspective) -> list[str]:
    return sorted(subnet.id for subnet in seen.reader.members(Subnet, "network", network.id))


def _single(attribute: str) -> Any:
    def show(network: Network, seen: Perspective) -> Any:
        segments = _segments(network, seen)
        return getattr(segments[0], attribute) if len(segments) == 1 else None

    return show


def _multiple(network: Network, seen: Perspective) -> list[dict[str, Any]]:
    segments = _segments(network, seen)
    return [SegmentRequest.of(each).shown() for each in segments] if len(segments) > 1 else []


def _provider(kind: str, show: Any) -> Computed:
    attribute = Attribute(post=True, put=True, kind=kind, admin_only=True, admin_view=True)
    return Computed(attribute, show)


class Networks(Resource[Network]):
    """The rules of networks."""

    cls = Network
    taggable = True
    computed = {
        "status": Computed(Attribute(), lambda _, __: "ACTIVE"),
        "subnets": Computed(Attribute(default=[]), _subnet_ids),
        "ipv4_address_scope": Computed(Attribute(), lambda _, __: None),
        "ipv6_address_scope": Computed(Attribute(), lambda _, __: None),
        "provider:network_type": _provider("string_or_none", _single("network_type")),
        "provider:physical_network": _provider("string_or_none", _single("physical_network")),
        "provider:segmentation_id": _provider("int_or_none", _single("segmentation_id")),
        "segments": _provider("segments", _multiple),
    }

    def create(self, operation: Operation, given: dict[str, Any]) -> Network:
        """Take a key and the segments' identifiers, and fix the MTU."""
        wanted = requested_segments(operation, given)
        types = carried(operation, (each.network_type for each in wanted))
        network = self.construct(
            given,
            id=str(uuid.uuid4()),
            mtu=network_mtu(operation, given["mtu"], types),
            key=operation.transaction.allocate("network_key"),
        )
        operation.transaction.put(network)
        for each in wanted:
            create_segment(operation, network.id, each)
        return network

    def update(self, operation: Operation, value: Network, given: dict[str, Any]) -> Network:
        """Change what does not touch how the network is carried."""
        segments = list(operation.transaction.members(Segment, "network", value.id))
        for name in [each for each in given if each.startswith("provider:") or each == "segments"]:
            if given[name] != self._carried([each for each in segments if not each.implied], name):
                raise Conflict("InvalidInput", f"{name} of a network cannot be changed")
        if "mtu" in given:
            types = carried(operation, (each.network_type for each in segments))
            given["mtu"] = network_mtu(operation, given["mtu"], types)
            subnets = operation.transaction.members(Subnet, "network", value.id)
            refuse_narrow(given["mtu"], [each.ip_version for each in subnets])
        if given.get("shared") is False and value.shared:
            self._refuse_foreign_ports(operation, value)
        return super().update(operation, value, given)

    def delete(self, operation: Operation, value: Network) -> None:
        """Remove it with its subnets and segments. Refused while it has ports."""
        if any(True for _ in operation.transaction.members(Port, "network", value.id)):
            raise Conflict(
                "NetworkInUse",
                f"Unable to complete operation on network {value.id}. "
                "There are one or more ports still in use on the network.",
            )
        for subnet in list(operation.transaction.members(Subnet, "network", value.id)):
            operation.transaction.delete(Subnet, subnet.id)
        for segment in list(operation.transaction.members(Segment, "network", value.id)):
            delete_segment(operation, segment)
        resting.forget(operation.transaction, value.id)
        operation.transaction.delete(Network, value.id)
        operation.transaction.release("network_key", value.key)

    def visible(self, value: Network, caller: Caller, reader: Reader) -> bool:  # noqa: ARG002
        """Shared and external networks are everyone's to see."""
        return caller.is_admin or value.shared or value.external or self.owned(value, caller)

    @staticmethod
    def _carried(segments: list[Segment], name: str) -> Any:
        if name == "segments":
            return [SegmentRequest.of(each) for each in segments] if len(segments) > 1 else []
        return getattr(segments[0], name.partition(":")[2]) if len(segments) == 1 else None

    @staticmethod
    def _refuse_foreign_ports(operation: Operation, network: Network) -> None:
        ports = operation.transaction.members(Port, "network", network.id)
        if any(port.project_id != network.project_id for port in ports):
            raise Conflict(
                "InvalidSharedSetting",
                f"Unable to reconfigure sharing settings for network {network.id}. "
                "Multiple projects are using it.",
            )
