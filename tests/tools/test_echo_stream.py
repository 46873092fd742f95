"""Given requests and the times of their answers, when the longest silence is asked for, then the end counts too."""

from tools.echo_stream import longest_silence


def test_a_silence_is_between_answers_or_lasts_to_the_end() -> None:
    assert longest_silence({0: 1.0, 1: 1.5, 3: 4.0}, 4, 4.0) == 2.5
    assert longest_silence({0: 1.0, 1: 1.5}, 9, 7.5) == 6.0
    assert longest_silence({0: 1.0, 1: 1.5}, 2, 1.5) == 0.5
    assert longest_silence({}, 5, 9.0) == 0.0
