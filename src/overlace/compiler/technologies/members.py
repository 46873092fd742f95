"""The technologies there are."""

from collections.abc import Mapping

from overlace.compiler.technologies.hop_by_hop import HopByHop
from overlace.compiler.technologies.technology import Technology
from overlace.compiler.technologies.vxlan import Vxlan

TECHNOLOGIES: Mapping[str, Technology] = {each.carriage.network_type: each for each in (Vxlan(), HopByHop())}
"""By the value of ``provider:network_type``."""
