"""Fragments whose flows are made when somebody asks."""

from tests.compiler.worlds import WorldBuilder

from overlace.compiler.compiler import Compiler
from overlace.compiler.pipeline import is_of_one_port
from overlace.compiler.plan import Fragment, key_number
from overlace.datapath.fields import Field
from overlace.datapath.flow import Flow
from overlace.datapath.match import match


def flows_in(ports: list[int]) -> list[Flow]:
    """One flow for each number."""
    return [Flow(0, 1, match({Field.IN_PORT: port}), ()) for port in ports]


def test_flows_are_made_when_asked_for_and_not_before() -> None:
    # given a fragment of two ports
    made: list[list[int]] = []

    def build(ports: list[int]) -> list[Flow]:
        made.append(ports)
        return flows_in(ports)

    fragment = Fragment.made_of(("some",), build, [1, 2])
    assert made == []
    # then it is as good as one that has its flows
    assert fragment.flows == tuple(flows_in([1, 2]))
    assert fragment.same_content(Fragment(("other",), tuple(flows_in([1, 2]))))
    assert fragment.shareable == tuple(map(key_number, flows_in([1, 2])))
    # and who is at work on it does not have them made again
    assert made == [[1, 2]]


def test_a_flow_that_is_of_one_port_stands_in_one_fragment_of_a_switch() -> None:
    # given ports of two networks on two hosts, one of them on the move, and one with several addresses
    world = WorldBuilder()
    world.hosts("h1", "h2")
    world.network("n", 1)
    world.network("m", 2)
    world.group("g", 1)
    for number, network in enumerate("nnmm", start=1):
        world.bind(world.port(f"p{number}", number, network, number, "g", mac=number), "h1", number)
    compiler = Compiler()
    compiler.advance(world.world)
    for switch in ("h1", "h2"):
        # when all keys of a switch are looked at
        keys = [
            (flow.key, fragment.id)
            for fragment in compiler.switch_plan(switch).values()
            for flow in dict.fromkeys(fragment.flows)
            if is_of_one_port(flow)
        ]
        # then none is there twice
        assert len(dict(keys)) == len(keys)
    assert any(map(is_of_one_port, compiler.switch_plan("h1")["binding", "p1", "h1"].flows))
