"""What the switches report and the compiler needs: port numbers, and addresses that no longer answer.

Rebuilt at every start, never stored.
"""

from dataclasses import dataclass, replace

from immutables import Map

from overlace.kit.addresses import IPAddress

Silence = tuple[str, IPAddress]
"""A site, and a tunnel address that is silent as seen from there."""
Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Observations:
    """`ofports`: (host id, port id) -> OpenFlow port number; `fabric_ports`: host or transit switch -> interface with
    a carrier -> number, without those that have told nothing yet; `silent`: host -> which of its addresses do not
    answer which sites, while another one of it does."""

    ofports: Map[Place, int] = Map()
    fabric_ports: Map[str, Map[str, int]] = Map()
    silent: Map[str, frozenset[Silence]] = Map()
    lost: Map[str, bool] = Map()
    """The hosts that neither the controller nor any other host hears."""

    def with_ofport(self, place: Place, number: int | None) -> "Observations":
        """The workload interface at `place` has this number now, or is gone."""
        return replace(self, ofports=_put(self.ofports, place, number))

    def with_fabric_ports(self, node: str, ports: Map[str, int]) -> "Observations":
        """The node has told which of its interfaces have a carrier."""
        return replace(self, fabric_ports=self.fabric_ports.set(node, ports))

    def with_silent(self, host: str, silences: frozenset[Silence]) -> "Observations":
        """These addresses of the host are silent now, and no others of it."""
        without = self.silent.delete(host) if host in self.silent else self.silent
        return replace(self, silent=without.set(host, silences) if silences else without)

    def with_lost(self, host: str, lost: bool) -> "Observations":
        """Nobody hears the host, or somebody does again."""
        without = self.lost.delete(host) if host in self.lost else self.lost
        return replace(self, lost=without.set(host, True) if lost else without)


def _put(numbers: Map[Place, int], place: Place, number: int | None) -> Map[Place, int]:
    if number is not None:
        return numbers.set(place, number)
    return numbers.delete(place) if place in numbers else numbers
