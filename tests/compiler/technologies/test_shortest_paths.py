"""Shortest paths, held against the plainest way to find their lengths (Bellman and Ford)."""

from hypothesis import given, strategies as st

from overlace.compiler.technologies.shortest_paths import Edge, edges_towards

NODES = ("a", "b", "c", "d", "e")
Graph = dict[str, list[Edge]]


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Up to ten cables between five nodes, more than one between two of them at times."""
    graph: Graph = {node: [] for node in NODES}
    pairs = st.lists(st.sampled_from(NODES), min_size=2, max_size=2, unique=True)
    for number, (one, other) in enumerate(draw(st.lists(pairs, max_size=10))):
        cost = draw(st.integers(1, 4))
        graph[one].append(Edge(cost, other, f"{one}-{number}"))
        graph[other].append(Edge(cost, one, f"{other}-{number}"))
    return graph


def lengths(graph: Graph, root: str) -> dict[str, int]:
    known = {root: 0}
    for _ in NODES:
        for node, edges in graph.items():
            for edge in edges:
                if edge.to in known:
                    known[node] = min(known.get(node, 1 << 30), known[edge.to] + edge.cost)
    return known


@given(graphs(), st.sampled_from(NODES))
def test_following_the_edges_leads_to_the_root_by_a_shortest_path(graph: Graph, root: str) -> None:
    first, wanted = edges_towards(root, graph), lengths(graph, root)
    assert first.keys() == wanted.keys() - {root}
    for node in first:
        at, walked = node, 0
        while at != root:
            edge = first[at]
            assert edge in graph[at]
            at, walked = edge.to, walked + edge.cost
        assert walked == wanted[node]


@given(graphs(), st.sampled_from(NODES), st.randoms(use_true_random=False))
def test_the_order_in_which_edges_are_listed_does_not_matter(
    graph: Graph, root: str, random: st.DataObject
) -> None:
    shuffled = {node: list(edges) for node, edges in graph.items()}
    for edges in shuffled.values():
        random.shuffle(edges)  # type: ignore[attr-defined]
    assert edges_towards(root, shuffled) == edges_towards(root, graph)


def test_of_equally_short_paths_the_neighbour_that_comes_first_is_taken() -> None:
    graph = {
        "a": [Edge(1, "c", "3"), Edge(1, "b", "2")],
        "b": [Edge(1, "a", "1"), Edge(1, "d", "4")],
        "c": [Edge(1, "a", "1"), Edge(1, "d", "4")],
        "d": [Edge(1, "c", "3"), Edge(1, "b", "2")],
    }
    assert edges_towards("d", graph)["a"] == Edge(1, "b", "2")
