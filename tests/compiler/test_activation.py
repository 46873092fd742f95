"""What a switch has learned of a first frame can be read back."""

from overlace.compiler.binding import activation_in
from overlace.compiler.pipeline import DESTINATION_PORT, FLAGS, GENERATION, CookieClass, Flag, Table, cookie
from overlace.datapath.actions import set_field
from overlace.datapath.flow import Flow
from overlace.datapath.match import match

WHERE = match({DESTINATION_PORT: 7, GENERATION: 3})
LEARNED = cookie(CookieClass.LEARNED, 7)


def learned(flag: Flag, mark: int = LEARNED) -> Flow:
    return Flow(int(Table.OVERRIDE), 100, WHERE, (set_field(FLAGS, flag, flag),), mark)


def test_a_first_frame_leaves_the_port_and_the_generation_it_ended() -> None:
    assert activation_in(learned(Flag.ACTIVATED)) == (7, 3)


def test_what_a_peer_has_learned_is_no_activation_there() -> None:
    assert activation_in(learned(Flag.REDIRECT)) is None


def test_only_what_the_data_path_made_counts() -> None:
    assert activation_in(learned(Flag.ACTIVATED, cookie(CookieClass.PORT, 7))) is None
