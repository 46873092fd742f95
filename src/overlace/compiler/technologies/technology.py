"""The interface of a technology, and the members there are."""

from typing import Protocol

from overlace.compiler.technologies.vxlan import Vxlan
from overlace.datapath.flow import Flow


class Technology(Protocol):
    """How frames of a network travel between hosts."""

    name: str
    """The value of ``provider:network_type`` that selects it."""

    def overhead(self, ip_version: int) -> int:
        """Bytes that the underlay must carry beyond the inner IP packet."""
        ...

    def network_flows(self, network_key: int, segmentation_id: int, cookie: int) -> list[Flow]:
        """Translate between the network's key and its identifier on the wire, in both directions."""
        ...


TECHNOLOGIES: dict[str, Technology] = {each.name: each for each in (Vxlan(),)}
