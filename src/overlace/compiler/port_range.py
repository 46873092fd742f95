"""A range of port numbers as the fewest (value, mask) pairs."""


def masked_ranges(low: int, high: int) -> list[tuple[int, int]]:
    """Cover ``low..high`` (inclusive, 16 bits) by aligned blocks. Raises ValueError for an empty range."""
    if not 0 <= low <= high <= 0xFFFF:
        raise ValueError(f"{low}-{high} is no range of port numbers")
    blocks = []
    while low <= high:
        size = (low & -low) or 0x10000
        while size > high - low + 1:
            size >>= 1
        blocks.append((low, 0x10000 - size))
        low += size
    return blocks
