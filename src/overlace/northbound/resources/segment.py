"""Segments as resources of their own: another technology for a network that there is."""

from dataclasses import replace
from typing import Any

from overlace.model.declaration import Attribute
from overlace.model.network import Network, Segment
from overlace.northbound.conversion.segments import SegmentRequest
from overlace.northbound.errors import Conflict, NotFound
from overlace.northbound.resources.base import Operation, Resource
from overlace.northbound.resources.segmentation import (
    check_segment,
    create_segment,
    delete_segment,
    refuse_alike,
)
from overlace.northbound.schema.attributes import Computed


class Segments(Resource[Segment]):
    """The rules of segments; only administrators see them."""

    cls = Segment
    admin_writes = True
    filter_indexes = {"network_id": "network"}
    computed = {"tenant_id": Computed(Attribute(post=True, visible=False, kind="project"))}

    def create(self, operation: Operation, given: dict[str, Any]) -> Segment:
        """One more segment, of a technology that the network has not."""
        network_id = given["network_id"]
        if operation.transaction.get(Network, network_id) is None:
            raise NotFound("network", network_id)
        wanted = SegmentRequest(
            given["network_type"], given.get("physical_network"), given.get("segmentation_id")
        )
        check_segment(operation, wanted)
        present = list(operation.transaction.members(Segment, "network", network_id))
        refuse_alike([wanted.network_type, *(each.network_type for each in present)])
        return create_segment(
            operation, network_id, wanted, name=given.get("name", ""), description=given["description"]
        )

    def delete(self, operation: Operation, value: Segment) -> None:
        """Remove it. Refused for the last by which Overlace carries the network."""
        segments = operation.transaction.members(Segment, "network", value.network_id)
        others = [each for each in segments if each.id != value.id]
        ways = [each for each in others if each.network_type in operation.configuration.carriages]
        if not ways:
            raise Conflict(
                "SegmentInUse", f"Segment '{value.id}' cannot be deleted: nothing else carries the network."
            )
        delete_segment(operation, value)
        if all(each.implied for each in others):
            operation.transaction.put(replace(ways[0], implied=False))
