"""From snapshot and observations to the desired contents of every switch: a memoised pure function."""
