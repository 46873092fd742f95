"""What the switches report and the compiler needs: port numbers. Rebuilt at every start, never stored."""

from dataclasses import dataclass, replace

from immutables import Map

Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Observations:
    """`ofports`: (host id, port id) -> OpenFlow port number; `link_ofports`: (node, interface) -> number."""

    ofports: Map[Place, int] = Map()
    link_ofports: Map[Place, int] = Map()

    def with_ofport(self, place: Place, number: int | None) -> "Observations":
        """The workload interface at `place` has this number now, or is gone."""
        return replace(self, ofports=_put(self.ofports, place, number))

    def with_link_ofport(self, place: Place, number: int | None) -> "Observations":
        """The fabric interface at `place` has this number now, or is gone."""
        return replace(self, link_ofports=_put(self.link_ofports, place, number))


def _put(numbers: Map[Place, int], place: Place, number: int | None) -> Map[Place, int]:
    if number is not None:
        return numbers.set(place, number)
    return numbers.delete(place) if place in numbers else numbers
