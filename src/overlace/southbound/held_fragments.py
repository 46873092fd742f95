"""The fragments that one switch holds, by their audiences.

Five hundred switches hold the same fragments of a network. Each says only which `Share` of an audience it holds, and
that is the plan's own object as long as the switch holds just what the plan has for the audience: nothing is kept
twice, and a change of the plan means another object instead. Where a switch deviates for a while (a fragment is held
out, a removal put off), it has a share of its own, until that comes to the same as the plan's again.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from immutables import MapMutation

from overlace.compiler.plan import NO_SHARE, Audience, Fragment, FragmentId, Share, Shares


class HeldFragments(Mapping[FragmentId, Fragment]):
    """To find a fragment by its id alone takes a look at each audience; who has one at hand asks by that."""

    __slots__ = ("_shares",)

    def __init__(self) -> None:
        self._shares: dict[Audience, Share] = {}

    def __getitem__(self, id_: FragmentId) -> Fragment:
        for share in self._shares.values():
            if (found := share.get(id_)) is not None:
                return found
        raise KeyError(id_)

    def __iter__(self) -> Iterator[FragmentId]:
        return chain.from_iterable(self._shares.values())

    def __len__(self) -> int:
        return sum(map(len, self._shares.values()))

    def all(self) -> Iterator[Fragment]:
        """Each of them, in no particular order."""
        return chain.from_iterable(share.values() for share in self._shares.values())

    def like(self, fragment: Fragment) -> Fragment | None:
        """What is held under its id for its audience: itself, or one that it was made anew from."""
        return self.share(fragment.audience).get(fragment.id)

    def holds(self, fragment: Fragment) -> bool:
        """Whether this very fragment is held."""
        return self.like(fragment) is fragment

    def share(self, audience: Audience) -> Share:
        """What is held of an audience."""
        return self._shares.get(audience, NO_SHARE)

    def put(self, audience: Audience, share: Share) -> None:
        """Hold this of an audience instead."""
        if share:
            self._shares[audience] = share
        else:
            self._shares.pop(audience, None)

    def exchange(self, released: Iterable[Fragment], added: Iterable[Fragment], shares: Shares) -> None:
        """Hold others instead of these. Where that comes to what the plan has, its own object is held."""
        planned = {audience for audience, (before, _) in shares.items() if before is self.share(audience)}
        touched: dict[Audience, MapMutation[FragmentId, Fragment]] = {}
        for fragment in released:
            if fragment.audience not in planned:
                del self._open(touched, fragment.audience)[fragment.id]
        for fragment in added:
            if fragment.audience not in planned:
                self._open(touched, fragment.audience)[fragment.id] = fragment
        for audience, share in touched.items():
            self.put(audience, share.finish())
        for audience, (_, after) in shares.items():
            if audience in planned or _same(self.share(audience), after):
                self.put(audience, after)

    def _open(
        self, touched: dict[Audience, MapMutation[FragmentId, Fragment]], audience: Audience
    ) -> MapMutation[FragmentId, Fragment]:
        if audience not in touched:
            touched[audience] = self.share(audience).mutate()
        return touched[audience]


def _same(one: Share, other: Share) -> bool:
    return len(one) == len(other) and one == other
