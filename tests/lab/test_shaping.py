"""Given a direction of a link, when frames are offered, then delay, rate, loss and cuts show at the far end."""

from hypothesis import given, strategies as st

from overlace.lab.shaping import BUFFER_SECONDS, Direction, Shape


def never() -> float:
    return 1.0


def test_a_frame_comes_out_after_the_delay_and_not_before() -> None:
    direction = Direction(never, Shape(delay=0.010))
    direction.offer(1.0, b"frame", 1)
    assert direction.deadline() == 1.010
    assert list(direction.due(1.009)) == []
    assert list(direction.due(1.010)) == [(1, b"frame")]
    assert direction.deadline() is None


def test_the_rate_spaces_frames_out() -> None:
    direction = Direction(never, Shape(rate=8000.0))
    for _ in range(3):
        direction.offer(0.0, b"x" * 10, 0)
    assert [when for when, _, _ in direction.queue] == [0.01, 0.02, 0.03]


def test_what_would_wait_longer_than_the_buffer_is_dropped() -> None:
    direction = Direction(never, Shape(rate=8000.0))
    for _ in range(100):
        direction.offer(0.0, b"x" * 10, 0)
    assert direction.counters.overflow > 0
    assert direction.queue[-1][0] <= BUFFER_SECONDS + 0.0101


def test_loss_takes_the_share_that_chance_says() -> None:
    numbers = iter([0.05, 0.5, 0.09, 0.1])
    direction = Direction(lambda: next(numbers), Shape(loss=0.1))
    for number in range(4):
        direction.offer(0.0, bytes([number]), 0)
    assert [frame for _, frame in direction.due(0.0)] == [b"\x01", b"\x03"]
    assert direction.counters.lost == 2


def test_a_cut_loses_what_is_under_way_and_what_follows_until_healed() -> None:
    direction = Direction(never, Shape(delay=1.0))
    direction.offer(0.0, b"under way", 0)
    direction.set_cut(True)
    direction.offer(0.1, b"too late", 0)
    direction.set_cut(False)
    direction.offer(0.2, b"again", 0)
    assert [frame for _, frame in direction.due(5.0)] == [b"again"]
    assert direction.counters.cut == 2


@given(
    arrivals=st.lists(st.tuples(st.floats(0, 0.05), st.integers(1, 1600)), max_size=60),
    delay=st.floats(0, 0.2),
    rate=st.sampled_from([0.0, 1e6, 1e8]),
)
def test_frames_keep_their_order_and_none_vanishes(
    arrivals: list[tuple[float, int]], delay: float, rate: float
) -> None:
    direction = Direction(never, Shape(delay=delay, rate=rate))
    now = 0.0
    for number, (gap, size) in enumerate(arrivals):
        now += gap
        direction.offer(now, number.to_bytes(4, "big") + bytes(size), 0)
    came = [int.from_bytes(frame[:4], "big") for _, frame in direction.due(now + 1e6)]
    assert came == sorted(came)
    assert len(came) + direction.counters.overflow == len(arrivals)
    assert direction.queued == 0
