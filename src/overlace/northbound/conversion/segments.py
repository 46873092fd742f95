"""Segments of a network in the words of the multi-provider extension."""

from dataclasses import dataclass
from typing import Any

from overlace.model.network import Segment
from overlace.northbound.conversion.kind import Kind
from overlace.northbound.conversion.scalars import or_none, parse_integer, parse_string, parse_text

PROVIDER = ("network_type", "physical_network", "segmentation_id")


@dataclass(frozen=True, slots=True)
class SegmentRequest:
    """A segment before it has an id, and perhaps before it has an identifier on the wire."""

    network_type: str
    physical_network: str | None = None
    segmentation_id: int | None = None
    implied: bool = False
    """Not asked for, but needed."""

    @classmethod
    def of(cls, segment: Segment) -> "SegmentRequest":
        """The same words for a segment that there is."""
        return cls(segment.network_type, segment.physical_network, segment.segmentation_id)

    def shown(self) -> dict[str, Any]:
        """As the attribute `segments` shows it."""
        return {
            "provider:network_type": self.network_type,
            "provider:physical_network": self.physical_network,
            "provider:segmentation_id": self.segmentation_id,
        }


def parse_segments(value: Any) -> list[SegmentRequest]:
    """A list of dictionaries with provider attributes."""
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise ValueError(f"'{value}' is not a list of dictionaries")
    return [_parse(each) for each in value]


def _parse(given: dict[str, Any]) -> SegmentRequest:
    if unknown := set(given) - {f"provider:{word}" for word in PROVIDER}:
        raise ValueError(f"Unexpected keys supplied: {', '.join(sorted(unknown))}")
    number = given.get("provider:segmentation_id")
    return SegmentRequest(
        parse_text(given.get("provider:network_type")),
        or_none(parse_string)(given.get("provider:physical_network")),
        None if number is None else parse_integer(number),
    )


SEGMENTS = {"segments": Kind(parse_segments)}
