"""Segments as resources of their own: another technology for a network that there is."""

from typing import Any

from overlace.model.declaration import Attribute
from overlace.model.network import Network, Segment
from overlace.northbound.conversion.segments import SegmentRequest
from overlace.northbound.errors import Conflict, InvalidInput, NotFound
from overlace.northbound.intents import Reader
from overlace.northbound.resources.base import Operation, Resource
from overlace.northbound.resources.segmentation import check_segment, create_segment, delete_segment
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
        check_segment(wanted, operation.configuration)
        if any(
            each.network_type == wanted.network_type for each in _others(operation.transaction, network_id)
        ):
            raise InvalidInput("a network has at most one segment of a network type")
        return create_segment(
            operation, network_id, wanted, name=given.get("name", ""), description=given["description"]
        )

    def delete(self, operation: Operation, value: Segment) -> None:
        """Remove it. Refused for the last: a network without any is carried by nothing."""
        if len(_others(operation.transaction, value.network_id)) == 1:
            raise Conflict(
                "SegmentInUse", f"Segment '{value.id}' cannot be deleted: the network has no other."
            )
        delete_segment(operation, value)


def _others(reader: Reader, network_id: str) -> list[Segment]:
    return list(reader.members(Segment, "network", network_id))
