"""What a guest's writer (src/overlace/lab/guests/services/writer.c) has left on a disk, read from the disk's file.

Its places follow from one another, and it waits for each write. So the disk as it was at one moment holds what so many
writes leave, the first to the last; a disk of two moments does not.
"""

from pathlib import Path

BLOCK = 4096
_MASK = (1 << 64) - 1
_START = 0x9E3779B97F4A7C15
_LOOKED_AT = (0, 1, 2, 255, 511)


class TornDiskError(Exception):
    """It is not the disk of one moment."""


def writes_on(path: Path) -> int:
    """After how many writes the disk was like this. Raises TornDiskError."""
    content = path.read_bytes()
    last = _numbers(content)
    writes, chance = max(last), _START
    expected = [0] * len(last)
    for number in range(1, writes + 1):
        chance = _mixed(chance)
        expected[chance % len(last)] = number
    for place, number in enumerate(expected):
        if last[place] != number:
            raise TornDiskError(f"block {place} is of write {last[place]}, after {writes} writes it is {number}")
        for index in _LOOKED_AT if number else ():
            if _word(content, place, index) != _written(place, number, index):
                raise TornDiskError(f"block {place} is not what write {number} wrote")
    return writes


def newest_write_on(path: Path) -> int:
    """The number of the newest write on a disk that is being written to: reading takes longer than a write."""
    return max(_numbers(path.read_bytes()))


def _numbers(content: bytes) -> list[int]:
    """Which write each block is of; 0 where none has been."""
    return [_word(content, place, 1) for place in range(len(content) // BLOCK)]


def _word(content: bytes, place: int, index: int) -> int:
    offset = place * BLOCK + index * 8
    return int.from_bytes(content[offset : offset + 8], "little")


def _mixed(value: int) -> int:
    value = (value + _START) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


def _written(place: int, number: int, index: int) -> int:
    if index < 2:
        return (place, number)[index]
    return _mixed((_mixed(place) + _mixed(number) * 3 + index) & _MASK)
