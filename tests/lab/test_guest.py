"""Given words about a guest, when they are read, then sizes are bytes, and what cannot be is refused with a cure."""

import pytest

from overlace.lab.errors import LabError
from overlace.lab.guest import parse_size


@pytest.mark.parametrize(
    ("text", "size"), [("4096", 4096), ("64K", 65536), ("128M", 128 << 20), (" 1g ", 1 << 30)]
)
def test_sizes_are_read_with_their_unit(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "0", "0M", "much", "-1M", "1T", "1.5G", "5000", "4K8"])
def test_other_sizes_are_refused(text: str) -> None:
    with pytest.raises(LabError, match="multiple of 4 KiB, like 128M"):
        parse_size(text)
