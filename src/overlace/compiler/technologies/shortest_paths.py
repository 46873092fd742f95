"""Shortest paths to one node (Dijkstra 1959), the same ones for the same graph."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

Node = str


@dataclass(frozen=True, slots=True, order=True)
class Edge:
    """A way from a node to the neighbour `to`, by its own `interface`. `cost` is positive."""

    cost: int
    to: Node
    interface: str


def edges_towards(root: Node, graph: Mapping[Node, Sequence[Edge]]) -> dict[Node, Edge]:
    """The first edge of a shortest path to `root` from every other node that has one.

    `graph` lists the edges that leave each node; every edge leads both ways at the same cost. Where paths are equally
    short, the neighbour that comes first by name is taken, and then the interface that does.
    """
    distance = {root: 0}
    first: dict[Node, Edge] = {}
    done: set[Node] = set()
    waiting = [(0, root)]
    while waiting:
        so_far, node = heappop(waiting)
        if node in done:
            continue
        done.add(node)
        for edge in graph.get(node, ()):
            reached = so_far + edge.cost
            if edge.to not in done and reached < distance.get(edge.to, reached + 1):
                distance[edge.to] = reached
                heappush(waiting, (reached, edge.to))
    for node in done - {root}:
        first[node] = min(
            (
                edge
                for edge in graph.get(node, ())
                if edge.to in distance and distance[edge.to] + edge.cost == distance[node]
            ),
            key=lambda edge: (edge.to, edge.interface),
        )
    return first
