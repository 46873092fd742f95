"""Segments of a network: what a request asks for, and the identifiers they take."""

import uuid
from collections.abc import Mapping
from typing import Any

from overlace.model.network import Segment
from overlace.northbound.configuration import NetworkingConfiguration
from overlace.northbound.conversion.segments import PROVIDER, SegmentRequest
from overlace.northbound.errors import BadRequest, Conflict, InvalidInput
from overlace.northbound.resources.base import Operation
from overlace.store.allocation import pool_range
from overlace.store.errors import NumberTaken


def requested_segments(
    given: Mapping[str, Any], configuration: NetworkingConfiguration
) -> list[SegmentRequest]:
    """The segments that a create request asks for; one of the default technology when it does not say."""
    provider = [given.get(f"provider:{word}") for word in PROVIDER]
    several: list[SegmentRequest] = given.get("segments") or []
    if several and any(each is not None for each in provider):
        raise BadRequest(
            "Segments and provider values cannot both be set.", "SegmentsSetInConjunctionWithProviders"
        )
    if not several:
        kind = provider[0] or configuration.default_network_type
        several = [SegmentRequest(kind, provider[1], provider[2])]
    for each in several:
        check_segment(each, configuration)
    if len({each.network_type for each in several}) != len(several):
        raise InvalidInput("a network has at most one segment of a network type")
    return several


def check_segment(wanted: SegmentRequest, configuration: NetworkingConfiguration) -> None:
    """Raise InvalidInput for what no technology here can carry."""
    carriage = configuration.carriages.get(wanted.network_type)
    if carriage is None:
        raise InvalidInput(f"network_type value '{wanted.network_type}' not supported")
    if wanted.physical_network is not None:
        raise InvalidInput(f"provider:physical_network specified for {wanted.network_type} network")
    if wanted.segmentation_id is not None:
        numbers = pool_range(carriage.identifiers)
        if not numbers.first <= wanted.segmentation_id <= numbers.last:
            raise InvalidInput(f"segmentation_id out of range ({numbers.first} through {numbers.last})")


def create_segment(operation: Operation, network_id: str, wanted: SegmentRequest, **fields: Any) -> Segment:
    """Put a segment, taking the asked or a free identifier."""
    segment = Segment(
        id=str(uuid.uuid4()),
        network_id=network_id,
        network_type=wanted.network_type,
        segmentation_id=_identifier(operation, wanted),
        **fields,
    )
    operation.transaction.put(segment)
    return segment


def _identifier(operation: Operation, wanted: SegmentRequest) -> int:
    pool = operation.configuration.carriages[wanted.network_type].identifiers
    if wanted.segmentation_id is None:
        return operation.transaction.allocate(pool)
    try:
        operation.transaction.request(pool, wanted.segmentation_id)
    except NumberTaken as reason:
        raise Conflict(
            "TunnelIdInUse",
            f"Unable to create the network. The tunnel ID {wanted.segmentation_id} is in use.",
        ) from reason
    return wanted.segmentation_id


def delete_segment(operation: Operation, segment: Segment) -> None:
    """Remove a segment and give its identifier back."""
    operation.transaction.delete(Segment, segment.id)
    carriage = operation.configuration.carriages.get(segment.network_type)
    if carriage is not None and segment.segmentation_id is not None:
        operation.transaction.release(carriage.identifiers, segment.segmentation_id)
