"""The index of readers says exactly who reads what, whatever came before."""

from hypothesis import given, strategies as st

from overlace.compiler.readers import Readers

UNITS = [("unit", str(number)) for number in range(12)]
READS = st.sets(st.sampled_from("abc"))


def test_all_readers_of_a_key_keep_one_object() -> None:
    # given two readings of one key, as two objects
    one, other = (("port", str(5)) for _ in range(2))
    readers = Readers()
    # then both readers are given the same to keep
    [kept] = readers.move(UNITS[0], (), {one})
    assert readers.move(UNITS[1], (), {other})[0] is kept is one


@given(st.lists(st.tuples(st.sampled_from(UNITS), READS), max_size=60))
def test_a_key_has_the_readers_that_read_it_last(steps: list[tuple[tuple[str, str], set[str]]]) -> None:
    readers = Readers()
    kept = {unit: tuple[tuple[str, ...], ...]() for unit in UNITS}
    for unit, names in steps:
        wanted = {("key", name) for name in names}
        kept[unit] = readers.move(unit, kept[unit], wanted)
        assert set(kept[unit]) == wanted
        assert len(kept[unit]) == len(wanted)
    for name in "abc":
        expected = {unit for unit in UNITS if ("key", name) in kept[unit]}
        found = list(readers.of(("key", name)))
        assert set(found) == expected
        assert len(found) == len(expected)
