"""Segments of a network: what a request asks for, and the identifiers they take."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from overlace.model.network import PHYSICAL, VLAN, Segment
from overlace.model.site import Host
from overlace.northbound.conversion.segments import PROVIDER, SegmentRequest
from overlace.northbound.errors import BadRequest, Conflict, InvalidInput
from overlace.northbound.resources.base import Operation
from overlace.store.allocation import pool_range
from overlace.store.errors import NumberTaken


def requested_segments(operation: Operation, given: Mapping[str, Any]) -> list[SegmentRequest]:
    """The segments that a create request asks for; one of the default technology when it does not say, or says
    only by which physical network."""
    configuration = operation.configuration
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
        check_segment(operation, each)
    refuse_alike([each.network_type for each in several])
    if all(each.network_type in PHYSICAL for each in several):
        several = [*several, SegmentRequest(configuration.default_network_type, implied=True)]
    return several


def refuse_alike(network_types: Sequence[str]) -> None:
    """Raise InvalidInput for types of which a network can have one only."""
    if len(set(network_types)) != len(network_types):
        raise InvalidInput("a network has at most one segment of a network type")
    if len(PHYSICAL.intersection(network_types)) > 1:
        raise InvalidInput("a network is bridged to at most one physical network")


def carried(operation: Operation, network_types: Iterable[str]) -> list[str]:
    """Those of the types that Overlace carries itself."""
    return [each for each in network_types if each in operation.configuration.carriages]


def check_segment(operation: Operation, wanted: SegmentRequest) -> None:
    """Raise InvalidInput for what no technology here can carry, Conflict for what another network has."""
    if wanted.network_type in PHYSICAL:
        _check_physical(operation, wanted)
        return
    carriage = operation.configuration.carriages.get(wanted.network_type)
    if carriage is None:
        raise InvalidInput(f"network_type value '{wanted.network_type}' not supported")
    if wanted.physical_network is not None:
        raise InvalidInput(f"provider:physical_network specified for {wanted.network_type} network")
    if wanted.segmentation_id is not None:
        numbers = pool_range(carriage.identifiers)
        if not numbers.first <= wanted.segmentation_id <= numbers.last:
            raise InvalidInput(f"segmentation_id out of range ({numbers.first} through {numbers.last})")


def _check_physical(operation: Operation, wanted: SegmentRequest) -> None:
    """In the words of Neutron's flat and VLAN type drivers."""
    kind = "VLAN" if wanted.network_type == VLAN else "flat"
    physical, vlan = wanted.physical_network, wanted.segmentation_id
    if physical is None:
        raise InvalidInput(f"physical_network required for {kind} provider network")
    if not any(
        each.physical_network == physical
        for host in operation.transaction.all(Host)
        for each in host.physical_networks
    ):
        raise InvalidInput(
            f"physical_network '{physical}' unknown for {kind} provider network: no host bridges it; "
            f"overlace host set NAME --physical-network {physical}=BRIDGE"
        )
    if wanted.network_type == VLAN and vlan is None:
        raise InvalidInput("segmentation_id required for VLAN provider network: no range is given out here")
    if wanted.network_type == VLAN and not 1 <= (vlan or 0) <= 4094:
        raise InvalidInput("segmentation_id out of range (1 through 4094)")
    if wanted.network_type != VLAN and vlan is not None:
        raise InvalidInput("segmentation_id prohibited for flat provider network")
    for _ in operation.transaction.members(Segment, "physical", physical, str(vlan or 0)):
        if vlan is None:
            text = f"Unable to create the flat network. Physical network {physical} is in use."
            raise Conflict("FlatNetworkInUse", text)
        raise Conflict(
            "VlanIdInUse",
            f"Unable to create the network. The VLAN {vlan} on physical network {physical} is in use.",
        )


def create_segment(operation: Operation, network_id: str, wanted: SegmentRequest, **fields: Any) -> Segment:
    """Put a segment, taking the asked or a free identifier."""
    segment = Segment(
        id=str(uuid.uuid4()),
        network_id=network_id,
        network_type=wanted.network_type,
        physical_network=wanted.physical_network,
        segmentation_id=_identifier(operation, wanted),
        implied=wanted.implied,
        **fields,
    )
    operation.transaction.put(segment)
    return segment


def _identifier(operation: Operation, wanted: SegmentRequest) -> int | None:
    if wanted.network_type in PHYSICAL:
        return wanted.segmentation_id
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
