"""Which states of a store another of its states goes back to.

A store that was copied back from yesterday, by whatever means, counts its revisions on from there, and soon its
numbers say nothing: revision 501 of the copy is not the one that hosts were written with. So every start of a
controller begins an epoch of its own, and the store remembers after which revision. A stamp is of our own past if its
epoch is one of ours and its revision not later than the end of that epoch; everything else we do not know.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Lineage:
    """`ends` has the last revision of each epoch before the present one."""

    ends: Mapping[int, int] = field(default_factory=dict)

    def has(self, epoch: int, revision: int) -> bool:
        """Whether that state is of our past."""
        return revision <= self.ends.get(epoch, -1)
