"""Filters by tags: all of, any of, and the two denials."""

from collections.abc import Collection, Mapping

TAG_FILTERS = ("tags", "tags-any", "not-tags", "not-tags-any")


def tags_match(tags: Collection[str], wanted: Mapping[str, str]) -> bool:
    """Whether a value with these tags passes all given filters (comma-separated tags each)."""
    have = set(tags)
    for word, text in wanted.items():
        asked = {each for each in text.split(",") if each}
        passed = bool(asked & have) if word.endswith("any") else asked <= have
        if passed is word.startswith("not"):
            return False
    return True
