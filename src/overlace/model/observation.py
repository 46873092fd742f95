"""What the switches report and the compiler needs: port numbers. Rebuilt at every start, never stored."""

from dataclasses import dataclass, replace

from immutables import Map

Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Observations:
    """`ofports`: (host id, port id) -> OpenFlow port number; `fabric_ports`: host or transit switch -> interface with
    a carrier -> number, without those that have told nothing yet."""

    ofports: Map[Place, int] = Map()
    fabric_ports: Map[str, Map[str, int]] = Map()

    def with_ofport(self, place: Place, number: int | None) -> "Observations":
        """The workload interface at `place` has this number now, or is gone."""
        return replace(self, ofports=_put(self.ofports, place, number))

    def with_fabric_ports(self, node: str, ports: Map[str, int]) -> "Observations":
        """The node has told which of its interfaces have a carrier."""
        return replace(self, fabric_ports=self.fabric_ports.set(node, ports))


def _put(numbers: Map[Place, int], place: Place, number: int | None) -> Map[Place, int]:
    if number is not None:
        return numbers.set(place, number)
    return numbers.delete(place) if place in numbers else numbers
