"""A set of numbers is one, whatever pages they are on, and leaves no empty page."""

from hypothesis import given, strategies as st

from overlace.store.numbers import Numbers

NUMBERS = st.sampled_from([0, 1, 255, 256, 257, 511, 512, 0xFFFFFF])


@given(st.lists(st.tuples(st.booleans(), NUMBERS)))
def test_what_was_put_and_not_taken_is_there(steps: list[tuple[bool, int]]) -> None:
    numbers, plain = Numbers(), set[int]()
    for put, number in steps:
        numbers = numbers.put(number) if put else numbers.without(number)
        (plain.add if put else plain.discard)(number)
        assert (number in numbers) == put
    assert sorted(numbers) == sorted(plain)
    assert len(numbers) == len(plain)
    assert numbers == Numbers.of(plain)
