"""What the datapath of a host cannot do, and is therefore not asked for.

Open vSwitch refuses such flows (OFPBAC_BAD_SET_ARGUMENT, ofproto-dpif.c, check_actions): the kernel's datapath has no
attribute for the flags and option types of neighbour discovery. The plan is the same for all hosts; it holds what the
others do in a fragment of its own.
"""

from overlace.compiler.plan import FragmentId
from overlace.compiler.respond import NEIGHBOUR_ANSWERS

_BEYOND = {"system": frozenset({NEIGHBOUR_ANSWERS})}


def beyond(datapath_type: str | None) -> frozenset[FragmentId]:
    """The fragments that a bridge of this type goes without; an empty type is the kernel's, None not known."""
    return _BEYOND.get("system" if datapath_type == "" else datapath_type or "", frozenset())
