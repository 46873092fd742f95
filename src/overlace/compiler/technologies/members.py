"""The technologies there are, and which of them carries a network."""

from collections.abc import Mapping

from overlace.compiler.reader import Reader
from overlace.compiler.technologies.hop_by_hop import HopByHop
from overlace.compiler.technologies.technology import Technology
from overlace.compiler.technologies.vxlan import Vxlan
from overlace.model.network import Segment

TECHNOLOGIES: Mapping[str, Technology] = {each.carriage.network_type: each for each in (Vxlan(), HopByHop())}
"""By the value of ``provider:network_type``."""


def carried_by(reader: Reader, network_id: str) -> Segment | None:
    """The segment by which a network travels between hosts: the first by id that a technology here carries."""
    segments = sorted(reader.members(Segment, "network", network_id), key=lambda segment: segment.id)
    return next((segment for segment in segments if segment.network_type in TECHNOLOGIES), None)
