"""Given a disk, then it is told whether it is as so many writes of a guest have left it, or of two moments."""

from pathlib import Path

import pytest
from tools.written_disk import BLOCK, TornDiskError, newest_write_on, writes_on

from tools import written_disk

PLACES = 64


def left_by(path: Path, writes: int) -> Path:
    """As the guest's writer leaves it."""
    content, chance = bytearray(PLACES * BLOCK), 0x9E3779B97F4A7C15
    for number in range(1, writes + 1):
        chance = written_disk._mixed(chance)
        place = chance % PLACES
        words = [written_disk._written(place, number, index) for index in range(BLOCK // 8)]
        content[place * BLOCK : (place + 1) * BLOCK] = b"".join(word.to_bytes(8, "little") for word in words)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("writes", [0, 1, 100])
def test_a_disk_of_one_moment_tells_how_many_writes_it_has_seen(tmp_path: Path, writes: int) -> None:
    assert writes_on(left_by(tmp_path / "disk", writes)) == writes


def test_a_block_of_another_moment_is_found(tmp_path: Path) -> None:
    old, new = left_by(tmp_path / "old", 50).read_bytes(), left_by(tmp_path / "new", 60).read_bytes()
    place = next(each for each in range(PLACES) if old[each * BLOCK :][:BLOCK] != new[each * BLOCK :][:BLOCK])
    start, end = place * BLOCK, (place + 1) * BLOCK
    (tmp_path / "torn").write_bytes(old[:start] + new[start:end] + old[end:])
    with pytest.raises(TornDiskError):
        writes_on(tmp_path / "torn")


def test_a_disk_that_is_written_to_while_it_is_read_tells_its_newest_write(tmp_path: Path) -> None:
    # given that the second half was read after ten more writes than the first
    old, new = left_by(tmp_path / "old", 50).read_bytes(), left_by(tmp_path / "new", 60).read_bytes()
    half = PLACES // 2 * BLOCK
    (tmp_path / "used").write_bytes(old[:half] + new[half:])
    # then it is of no one moment (write 60 is in the first half), and 59 is the newest write that was seen
    with pytest.raises(TornDiskError):
        writes_on(tmp_path / "used")
    assert newest_write_on(tmp_path / "used") == 59


def test_a_block_that_is_half_written_is_found(tmp_path: Path) -> None:
    content = bytearray(left_by(tmp_path / "disk", 100).read_bytes())
    place = next(each for each in range(PLACES) if content[each * BLOCK + 8])
    content[place * BLOCK + 2048 : (place + 1) * BLOCK] = bytes(2048)
    (tmp_path / "half").write_bytes(content)
    with pytest.raises(TornDiskError):
        writes_on(tmp_path / "half")
