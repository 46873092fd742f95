"""What a guest takes apart to get past the source guard stays where it is."""

import pytest
from tests.compiler.proof.cloud import Cloud
from tests.compiler.proof.spoken import HOST, Spoken, cloud_of_all_kinds
from tests.datapath.ip_layouts import DESTINATION, FRAGMENT, PLAIN, Header, Layout, laid_out

from overlace.datapath.interpreter import deliver
from overlace.datapath.interpreter.decode import from_frame
from overlace.model.policy import Direction, EtherType

FIRST = Layout(headers=(Header(FRAGMENT, more=True),), more=True)
BROKEN_OFF = Layout(headers=(Header(FRAGMENT, more=True), Header(DESTINATION)), kept=8)
WITHOUT_TYPE = Layout(headers=(Header(FRAGMENT, more=True), Header(DESTINATION)), kept=16)
OPTION_TWICE = Layout(appended=bytes.fromhex("0101020000000063"))


@pytest.fixture(scope="module")
def cloud() -> Cloud:
    """The stateless port's rules let everything out, so that nothing but the guard is in the way."""
    built = cloud_of_all_kinds()
    for number, family in enumerate(EtherType, start=100):
        built.world.permit("stateless", number, Direction.EGRESS, ethertype=family)
    built.compile()
    return built


def heard(cloud: Cloud, word: str, version: int, layout: Layout) -> int:
    """How many hear what the stateless port says to the one without port security."""
    place = next(p for p, each in cloud.plugged.items() if p[0] == HOST and each.port_id == "stateless")
    frame = laid_out(Spoken("stateless", "open", version, word).packet(), layout)
    return len(deliver(cloud.switches.network, *place, from_frame(frame)))


@pytest.mark.parametrize(
    ("word", "version", "layout"),
    [
        ("dhcp offer", 4, FIRST),
        ("dhcp offer", 6, FIRST),
        ("router advertisement", 6, FIRST),
        ("router advertisement", 6, BROKEN_OFF),
        ("router advertisement", 6, WITHOUT_TYPE),
        ("own advertisement", 6, FIRST),
        ("solicitation", 6, FIRST),
        ("solicitation", 6, OPTION_TWICE),
    ],
)
def test_what_nobody_may_say_is_not_heard_in_pieces_either(
    cloud: Cloud, word: str, version: int, layout: Layout
) -> None:
    assert heard(cloud, word, version, layout) == 0


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("layout", [PLAIN, FIRST])
def test_an_echo_is_heard_whole_and_in_pieces(cloud: Cloud, version: int, layout: Layout) -> None:
    assert heard(cloud, "echo", version, layout) == 1
