"""Disks kept at another host, at most so old: round after round, each whole or not at all."""
